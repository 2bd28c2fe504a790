#include "harness/capture/packet_filter.h"

#include <algorithm>
#include <pcap/pcap.h>

#include "harness/base/require.h"
#include "harness/capture/builtin_filters.h"
#include "harness/capture/filter_text.h"

namespace netrig {
namespace {

constexpr int kSnapLength = 262144;  // libpcap's largest; the generated code returns it on a match

struct PcapCloser {
  void operator()(pcap_t* pcap) const { pcap_close(pcap); }
};

}  // namespace

struct PacketFilter::Program {
  bpf_program code{};
  Program() = default;
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;
  ~Program() { pcap_freecode(&code); }
};

std::expected<PacketFilter, std::string> PacketFilter::compile(const std::string& expression) {
  if (auto checked = check_filter_text(expression); !checked) {
    return std::unexpected(checked.error());
  }
  const std::unique_ptr<pcap_t, PcapCloser> pcap(pcap_open_dead(DLT_RAW, kSnapLength));
  if (!pcap) return std::unexpected("libpcap is out of memory");
  auto program = std::make_shared<Program>();
  constexpr int kOptimize = 1;
  if (pcap_compile(pcap.get(), &program->code, expression.c_str(), kOptimize,
                   PCAP_NETMASK_UNKNOWN) != 0) {
    return std::unexpected(pcap_geterr(pcap.get()));
  }
  PacketFilter filter;
  filter.program_ = std::move(program);
  return filter;
}

bool PacketFilter::is_builtin(std::string_view name) {
  return std::ranges::binary_search(builtin_filter_names(), name);
}

const std::vector<std::string>& PacketFilter::builtin_names() {
  return builtin_filter_names();
}

PacketFilter PacketFilter::builtin(std::string_view name) {
  NETRIG_REQUIRE(is_builtin(name));
  PacketFilter filter;
  filter.builtin_ = name;
  return filter;
}

std::vector<size_t> PacketFilter::select(const Recording& recording) const {
  if (!program_) return select_builtin(builtin_, recording);
  std::vector<size_t> chosen;
  for (size_t i = 0; i < recording.packets.size(); ++i) {
    const CapturedPacket& packet = recording.packets[i];
    pcap_pkthdr header{};
    header.caplen = static_cast<bpf_u_int32>(packet.data.size());
    header.len = std::max(header.caplen, packet.original_length);
    const auto* octets = reinterpret_cast<const u_char*>(packet.data.data());
    if (pcap_offline_filter(&program_->code, &header, octets) != 0) chosen.push_back(i);
  }
  return chosen;
}

}  // namespace netrig
