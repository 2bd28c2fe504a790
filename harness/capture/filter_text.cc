#include "harness/capture/filter_text.h"

#include <algorithm>
#include <cctype>
#include <fmt/core.h>
#include <iterator>
#include <optional>
#include <sstream>

#include "harness/base/text.h"
#include "harness/net/endpoint.h"

namespace netrig {
namespace {

bool is_word_octet(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.' || c == '-' || c == '_' ||
         c == ':';
}

// libpcap's scanner takes N, N.N, N.N.N and N.N.N.N as numbers, N decimal or 0x...; what has more
// parts or a stray letter is a name to it, and would be looked up.
bool is_number(std::string_view word) {
  int parts = 0;
  while (true) {
    const size_t dot = word.find('.');
    std::string_view part = word.substr(0, dot);
    const bool hex = part.starts_with("0x") || part.starts_with("0X");
    if (hex) part.remove_prefix(2);
    const bool digits = !part.empty() && std::ranges::all_of(part, [&](unsigned char c) {
      return hex ? std::isxdigit(c) != 0 : std::isdigit(c) != 0;
    });
    if (!digits || ++parts > 4) return false;
    if (dot == std::string_view::npos) return true;
    word.remove_prefix(dot + 1);
  }
}

bool is_ipv6(std::string_view word) {
  const auto address = IpAddress::parse(word);
  return address && address->is_v6();
}

bool takes_local_name(std::string_view previous) {
  return previous == "port" || previous == "portrange" || previous == "proto" ||
         previous == "protochain";
}

std::string refusal(std::string_view word) {
  const auto near = nearest_name(word, filter_words());
  return fmt::format("'{}' is not a word of a filter{}; names are not looked up: write an address",
                     word, near ? fmt::format(" (did you mean '{}'?)", *near) : "");
}

std::expected<void, std::string> check_word(std::string_view word, std::string_view previous) {
  // The scanner's names begin with a letter or digit and end with one of these or a dot.
  const auto starts = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0; };
  if (!is_ipv6(word)) {
    while (!word.empty() && !starts(word.front())) word.remove_prefix(1);
    while (!word.empty() && (word.back() == '-' || word.back() == '_')) word.remove_suffix(1);
  }
  if (word.empty() || is_number(word) || is_ipv6(word)) return {};
  if (std::ranges::binary_search(filter_words(), word)) return {};
  if (takes_local_name(previous) && !word.contains(':')) return {};
  return std::unexpected(refusal(word));
}

}  // namespace

std::expected<void, std::string> check_filter_text(std::string_view expression) {
  if (expression.size() > kFilterBytesMax) {
    return std::unexpected(fmt::format("the filter is longer than {} octets", kFilterBytesMax));
  }
  if (expression.contains('\0')) return std::unexpected("the filter holds a NUL");
  std::string_view previous;
  bool in_brackets = false;  // there ':' separates offset and size: tcp[12:2]
  for (size_t i = 0; i < expression.size();) {
    const char c = expression[i];
    if (c == '\\') {
      // An escaped word is always a name: `ip proto \tcp`.
      const size_t end = std::min(expression.find_first_of(" !()\n\t", i), expression.size());
      if (!takes_local_name(previous)) {
        return std::unexpected(refusal(expression.substr(i + 1, end - i - 1)));
      }
      previous = {};
      i = end;
    } else if (is_word_octet(c) && !(in_brackets && c == ':')) {
      size_t end = i;
      while (end < expression.size() && is_word_octet(expression[end]) &&
             !(in_brackets && expression[end] == ':')) {
        ++end;
      }
      const std::string_view word = expression.substr(i, end - i);
      if (auto checked = check_word(word, previous); !checked) return checked;
      previous = word;
      i = end;
    } else {
      if (c == '[') in_brackets = true;
      if (c == ']') in_brackets = false;
      if (std::isspace(static_cast<unsigned char>(c)) == 0) previous = {};
      ++i;
    }
  }
  return {};
}

const std::vector<std::string>& filter_words() {
  static const std::vector<std::string> kWords = [] {
    std::istringstream text(
        "ah and arp broadcast byte carp dst esp ether fddi gateway greater host icmp icmp6 "
        "igmp igrp inbound ip ip6 len length less link mask mpls multicast net not or outbound "
        "pim port portrange ppp pppoed pppoes proto protochain radio rarp sctp slip src tcp "
        "udp vlan vrrp icmptype icmpcode icmp6type icmp6code tcpflags tcp-fin tcp-syn tcp-rst "
        "tcp-push tcp-ack tcp-urg tcp-ece tcp-cwr icmp-echoreply icmp-unreach "
        "icmp-sourcequench icmp-redirect icmp-echo icmp-routeradvert icmp-routersolicit "
        "icmp-timxceed icmp-paramprob icmp-tstamp icmp-tstampreply icmp-ireq icmp-ireqreply "
        "icmp-maskreq icmp-maskreply icmp6-destinationunreach icmp6-packettoobig "
        "icmp6-timeexceeded icmp6-parameterproblem icmp6-echo icmp6-echoreply "
        "icmp6-multicastlistenerquery icmp6-multicastlistenerreportv1 "
        "icmp6-multicastlistenerdone icmp6-routersolicit icmp6-routeradvert "
        "icmp6-neighborsolicit icmp6-neighboradvert icmp6-redirect "
        "icmp6-multicastlistenerreportv2 ");
    std::vector<std::string> words(std::istream_iterator<std::string>(text), {});
    std::ranges::sort(words);
    return words;
  }();
  return kWords;
}

}  // namespace netrig
