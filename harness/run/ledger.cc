#include "harness/run/ledger.h"

#include <fmt/format.h>

#include "harness/base/chance.h"
#include "harness/base/octet_hash.h"

namespace netrig {

void Ledger::opened(const Endpoint& local, const Endpoint& remote, const std::string& owner) {
  ends_[{local, remote}].owner = owner;
}

void Ledger::wrote(const Endpoint& local, const Endpoint& remote, uint64_t octets) {
  if (auto end = ends_.find({local, remote}); end != ends_.end()) end->second.wrote += octets;
}

void Ledger::read(const Endpoint& local, const Endpoint& remote, uint64_t octets) {
  if (auto end = ends_.find({local, remote}); end != ends_.end()) end->second.read += octets;
}

std::vector<UnreadStream> Ledger::unread() const {
  std::vector<UnreadStream> streams;
  for (const auto& [key, sender] : ends_) {
    auto receiver = ends_.find({key.second, key.first});
    if (receiver == ends_.end() || sender.wrote <= receiver->second.read) continue;
    streams.push_back({sender.owner, receiver->second.owner, sender.wrote - receiver->second.read});
  }
  return streams;
}

void Ledger::saw(const std::string& instance, ByteView what) {
  uint64_t& sight = sights_[instance];
  sight = stable_hash(fmt::format("{:016x}{}", sight, what));
}

void Ledger::saw(const std::string& instance, ByteView what, ByteView octets) {
  saw(instance, fmt::format("{} {:016x}", what, hash_octets(octets)));
}

std::string Ledger::fingerprint() const {
  uint64_t hash = 0;
  for (const auto& [instance, sight] : sights_) {
    hash = stable_hash(fmt::format("{:016x}{}{:016x}", hash, instance, sight));
  }
  return fmt::format("{:016x}", hash);
}

}  // namespace netrig
