#pragma once
// What both file formats do with a frame once they have found it: strip it to IP, store or count
// it, and gather what must be told. The notes stay few however many packets are bad.

#include <cstdint>
#include <map>
#include <string>

#include "harness/capture/captured_packet.h"

namespace netrig {

struct Frame {
  uint32_t interface = 0;
  int64_t time_ns = 0;
  ByteView data;  // link layer included
  uint32_t original_length = 0;
  std::string comment;
};

class RecordingBuilder {
 public:
  uint32_t add_interface(std::string name, uint16_t link_type);
  void add(Frame frame);
  // A packet that cannot be read: counted in `skipped`, and told as "<reason>: 3 packets".
  void skip(const std::string& reason);
  void note(std::string text) { recording_.notes.push_back(std::move(text)); }
  // The same note more than once is told once, with its count.
  void count(const std::string& reason) { ++counted_[reason]; }
  Recording finish() &&;

 private:
  Recording recording_;
  std::map<std::string, uint64_t> counted_;
  std::map<std::string, uint64_t> skipped_;
};

}  // namespace netrig
