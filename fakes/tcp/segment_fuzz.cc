// libFuzzer: octets become segments, calls and time for a stack with a listener and a connection
// that is fed by a peer who also sends what it likes. Nothing may crash, memory stays bounded, and
// what is read is what a well-behaved reader of the accepted octets would have read: every octet of
// this stream is a function of its place, whoever sent it.
#include <cstdlib>

#include "fakes/tcp/stack_testing.h"

namespace netrig::tcp {
namespace {

constexpr uint32_t kPeerIss = Script::kPeerIss;

char octet_of(uint32_t seq) {
  return static_cast<char>(seq * 31 + (seq >> 8));
}

class Fuzz {
 public:
  Fuzz(const uint8_t* data, size_t size) : data_(data), size_(size) {}

  void run() {
    ConnectionOptions options;
    options.timestamps = octet() & 1;
    options.sack = octet() & 1;
    options.keepalive = octet() & 1;
    options.ecn = octet() & 1;
    options.window_scaling = octet() & 1;
    options.receive_buffer = 4096 + 64u * octet();
    options.receive_buffer_fixed = true;
    script_.listen(3, options);
    active_ = octet() & 1;
    if (active_) {
      connection_ = &script_.syn_sent(options);
    } else {
      handshake();
    }
    while (at_ < size_) {
      act();
      check();
    }
    if (connection_ != nullptr) connection_->close(script_.now, octet() & 1);
    connection_ = nullptr;
    script_.pass(1000s);
    script_.sent.clear();
  }

 private:
  uint8_t octet() { return at_ < size_ ? data_[at_++] : 0; }
  uint32_t near(uint32_t base) {
    const uint8_t kind = octet();
    const auto by = static_cast<int8_t>(octet());
    if (kind < 128) return base + static_cast<uint32_t>(int32_t{by});
    if (kind < 200) return base + static_cast<uint32_t>(int32_t{by} * 400);
    return base + (uint32_t{octet()} << 24);
  }

  void handshake() {
    Segment syn = script_.make({.flags = kTcpSyn, .seq = kPeerIss});
    syn.sack_permitted = octet() & 1;
    if (octet() & 1) syn.timestamps = Timestamps{1, 0};
    if (octet() & 1) syn.window_scale = octet();
    syn.mss = static_cast<uint16_t>(octet() << 4);
    script_.inject(std::move(syn));
    if (script_.sent.empty()) return;
    const Segment answer = script_.next();
    script_.iss = answer.seq.value();
    Script::Line line{.seq = kPeerIss + 1, .ack = script_.iss + 1};
    if (answer.timestamps) line.timestamps = Timestamps{2, answer.timestamps->value};
    script_.inject(line);
    connection_ = script_.listener->accept(nullptr);
  }

  void segment() {
    Segment made = script_.make({.flags = octet()});
    made.seq = SeqNum(near(rcv_nxt_));
    made.ack = SeqNum(near(snd_nxt_));
    made.window = static_cast<uint16_t>(octet() << (octet() & 7));
    made.urgent_pointer = octet() & 1 ? octet() : 0;
    made.ecn = static_cast<Ecn>(octet() & 3);
    const uint8_t extras = octet();
    if (extras & 1) made.mss = static_cast<uint16_t>(octet() * 16);
    if (extras & 2) made.window_scale = octet();
    if (extras & 4) made.sack_permitted = true;
    if (extras & 8) made.timestamps = Timestamps{near(last_timestamp_), near(0)};
    if (extras & 16) {
      made.sack_count = octet() % 5;
      for (size_t i = 0; i < made.sack_count; ++i) {
        made.sacks[i] = {SeqNum(near(snd_nxt_)), SeqNum(near(snd_nxt_))};
      }
    }
    if (extras & 32) made.checksum_ok = octet() != 0;
    if (extras & 64) script_.peer_port = static_cast<uint16_t>(40000 + (octet() & 3));
    made.source_port = script_.peer_port;
    script_.peer_port = 40000;
    const size_t size = extras & 128 ? size_t{octet()} * 8 : octet() & 15;
    std::string text(size, '\0');
    const uint32_t first = made.seq.value() + (made.has(kTcpSyn) ? 1 : 0);
    for (size_t i = 0; i < size; ++i) text[i] = octet_of(first + static_cast<uint32_t>(i));
    made.payload = script_.pool.copy(text);
    // Also as octets, as it would come from another program.
    if (extras & 1) made = from_header(to_header(made), made.payload);
    if (made.has(kTcpUrg)) urgent_seen_ = true;
    if (made.timestamps) last_timestamp_ = made.timestamps->value;
    script_.inject(std::move(made));
  }

  void act() {
    switch (octet() % 10) {
      case 0:
        script_.pass(1ms * octet());
        break;
      case 1:
        script_.pass(1s * octet());
        break;
      case 2:
        if (connection_ != nullptr) read(size_t{octet()} * 16);
        break;
      case 3:
        if (connection_ != nullptr) {
          (void)send_text(*connection_, script_.now, std::string(size_t{octet()} * 32, 'x'));
        }
        break;
      case 4:
        call();
        break;
      default:
        segment();
    }
  }

  void call() {
    if (connection_ == nullptr) {
      connection_ = script_.listener->accept(nullptr);
      stream_known_ = false;
      return;
    }
    const uint8_t which = octet();
    const ByteView part = "u";
    switch (which % 6) {
      case 0:
        (void)connection_->shutdown(script_.now, which & 16, which & 32);
        break;
      case 1:
        (void)connection_->send_urgent(script_.now, {&part, 1});
        break;
      case 2:
        (void)connection_->receive_urgent(script_.now, which & 16);
        break;
      case 3: {
        ConnectionOptions options = connection_->options();
        options.nodelay = which & 16;
        options.cork = which & 32;
        options.quickack = which & 64;
        options.keepalive_idle = 1s * (1 + (which >> 4));
        connection_->set_options(script_.now, options);
        break;
      }
      case 4:
        script_.stack.icmp(script_.now, connection_->local(), connection_->peer(),
                           SeqNum(near(snd_nxt_)), Errno(ECONNREFUSED), which & 16,
                           which & 32 ? std::optional<uint32_t>(octet() * 8u) : std::nullopt);
        break;
      case 5:
        connection_->close(script_.now, which & 16);
        connection_ = nullptr;
        break;
    }
  }

  void read(size_t size) {
    const auto text = receive_text(*connection_, script_.now, size);
    if (!text || !stream_known_ || urgent_seen_ || active_) return;
    for (const char octet : *text) {
      if (octet != octet_of(read_seq_++)) std::abort();
    }
  }

  void check() {
    for (; !script_.sent.empty(); script_.sent.pop_front()) {
      const Segment& sent = script_.sent.front();
      if (options_size(sent) > 40) std::abort();
      if (sent.destination_port != 40000 || sent.has(kTcpRst)) continue;
      if (sent.has(kTcpAck)) rcv_nxt_ = sent.ack.value();
      snd_nxt_ = sent.seq.value() + sent.length();
    }
    if (connection_ != nullptr && connection_->readable_octets() > 64 * 1024) std::abort();
    if (script_.stack.connection_count() > 16) std::abort();
    if (script_.pool.blocks_in_use() > 20'000) std::abort();
  }

  const uint8_t* data_;
  size_t size_;
  size_t at_ = 0;
  Script script_;
  Connection* connection_ = nullptr;
  bool active_ = false;
  bool stream_known_ = true;
  bool urgent_seen_ = false;
  uint32_t rcv_nxt_ = kPeerIss + 1;
  uint32_t snd_nxt_ = 0;
  uint32_t read_seq_ = kPeerIss + 1;
  uint32_t last_timestamp_ = 2;
};

}  // namespace
}  // namespace netrig::tcp

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  netrig::tcp::Fuzz(data, size).run();
  return 0;
}
