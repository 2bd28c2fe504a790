#pragma once
// The pcap format (draft-ietf-opsawg-pcap): both byte orders, micro- and nanoseconds, Kuznetsov's
// "modified" records. Octets in, a builder filled; no file and no decompression here.

#include "harness/base/bytes.h"
#include "harness/capture/recording_builder.h"

namespace netrig {

bool looks_like_pcap(ByteView file);
// looks_like_pcap(file) must hold. Never fails: what cannot be read is noted.
void read_pcap(ByteView file, RecordingBuilder& out);

}  // namespace netrig
