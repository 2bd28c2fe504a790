#pragma once
// The pcapng format (draft-ietf-opsawg-pcapng): sections of either byte order, packets in enhanced,
// simple and the old packet blocks, timestamps of every resolution. Blocks of other kinds are
// passed over.

#include "harness/base/bytes.h"
#include "harness/capture/recording_builder.h"

namespace netrig {

bool looks_like_pcapng(ByteView file);
// looks_like_pcapng(file) must hold. Never fails: what cannot be read is noted.
void read_pcapng(ByteView file, RecordingBuilder& out);

}  // namespace netrig
