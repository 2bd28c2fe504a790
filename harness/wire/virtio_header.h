#pragma once
// virtio_net_hdr and its constants, for C++: linux/virtio_net.h has a member named `class` in a
// struct that nobody needs here. To be included in its place.

#ifdef __clang__
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wkeyword-macro"
#endif
#define class class_of_command
#include <linux/virtio_net.h>  // IWYU pragma: export
#undef class
#ifdef __clang__
#pragma clang diagnostic pop
#endif
