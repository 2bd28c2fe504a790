#pragma once
// What a filter may say before libpcap sees it. libpcap hands every word that it does not know to
// the system's resolver, which may ask the network and block for seconds: here only the words of
// pcap-filter(7), numbers and addresses pass. Names stay possible for ports and protocols (after
// `port`, `portrange`, `proto`, `protochain`), which getaddrinfo(3) and getprotobyname(3) find in
// local files.

#include <cstddef>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

namespace netrig {

// libpcap's compiler takes time with the third power of the length: `portrange 4-9` in a row takes
// half a second at 1024 octets and half a minute at 4096.
inline constexpr size_t kFilterBytesMax = 1024;

// The error is a sentence without a full stop that names the word.
std::expected<void, std::string> check_filter_text(std::string_view expression);

// The words of pcap-filter(7) that mean something on IP packets, sorted.
const std::vector<std::string>& filter_words();

}  // namespace netrig
