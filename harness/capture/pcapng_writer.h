#pragma once
// Writes a capture as pcapng (draft-ietf-opsawg-pcapng): one section, link type RAW, nanoseconds,
// comments on packets, names on interfaces. Buffered; every failed write is kept and told by
// close(). It opens no file: the caller gives the descriptor.

#include <cstdint>
#include <string>
#include <string_view>

#include "harness/base/errno.h"
#include "harness/base/fd.h"
#include "harness/capture/captured_packet.h"

namespace netrig {

inline constexpr uint16_t kLinkTypeRaw = 101;

class PcapngWriter {
 public:
  // `application` goes into shb_userappl. Writes the section header at once (buffered).
  PcapngWriter(Fd file, std::string_view application);
  ~PcapngWriter();  // flushes, ignoring errors: call close() to hear of them
  PcapngWriter(PcapngWriter&&) noexcept;
  PcapngWriter& operator=(PcapngWriter&&) noexcept;

  // Returns the index to put into CapturedPacket::interface.
  uint32_t add_interface(std::string_view name);
  void write(const CapturedPacket& packet);
  uint64_t packets_written() const { return packets_; }
  // Flushes and closes. The first error of any write (ENOSPC, ...) is the answer.
  Result<void> close();

 private:
  void block(uint32_t type, ByteView body);
  void flush();

  Fd file_;
  Bytes buffer_;
  uint32_t interfaces_ = 0;
  uint64_t packets_ = 0;
  Result<void> status_;
};

}  // namespace netrig
