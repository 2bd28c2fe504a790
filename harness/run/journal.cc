#include "harness/run/journal.h"

#include <nlohmann/json.hpp>

#include "harness/base/text.h"

namespace netrig {

namespace {

// Keys in the order in which they are written: a line is read by people too.
using Json = nlohmann::ordered_json;

void put_place(Json& json, const std::string& path, Location at) {
  json["step"] = path;
  json["line"] = at.line;
  json["column"] = at.column;
}

// Text where the octets are text, else hex: JSON has no octets.
void put_octets(Json& json, const std::string& key, ByteView octets) {
  if (first_invalid_utf8(octets)) {
    json[key + "_hex"] = format_hex(octets);
  } else {
    json[key] = octets;
  }
}

void put_packet(Json& json, const PacketName& packet) {
  json["direction"] = packet.direction.str();
  json["flow"] = packet.flow.str();
  json["ordinal"] = packet.ordinal;
}

int64_t nanoseconds(Instant instant) {
  return instant.time_since_epoch().count();
}

struct EventWriter {
  Json& json;

  void operator()(const StepStarted& it) const {
    json["event"] = "step_started";
    put_place(json, it.path, it.at);
  }
  void operator()(const StepEnded& it) const {
    json["event"] = "step_ended";
    put_place(json, it.path, it.at);
    json["verb"] = it.verb;
    json["returned"] = it.returned;
    if (!it.error.empty()) json["error"] = it.error;
  }
  void operator()(const Transfer& it) const {
    json["event"] = it.sent ? "sent" : "received";
    put_place(json, it.path, it.at);
    json["transport"] = transport_name(it.transport);
    json["peer"] = it.peer;
    json["octets"] = it.octets;
    put_octets(json, "preview", it.preview);
  }
  void operator()(const ConnectionOpened& it) const {
    json["event"] = it.accepted ? "accepted" : "connected";
    json["connection"] = it.connection;
    json["transport"] = transport_name(it.transport);
    if (!it.peer.empty()) json["peer"] = it.peer;
    json["local"] = it.local.to_string();
    json["remote"] = it.remote.to_string();
  }
  void operator()(const ConnectionClosed& it) const {
    json["event"] = "closed";
    json["connection"] = it.connection;
    json["how"] = it.how;
  }
  void operator()(const ActorStarted&) const { json["event"] = "actor_started"; }
  void operator()(const ActorEnded& it) const {
    json["event"] = "actor_ended";
    json["finished"] = it.finished;
  }
  void operator()(const FateRecord& it) const {
    json["event"] = "fate";
    put_packet(json, it.packet);
    json["octets"] = it.size;
    json["fate"] = format_fate(it.fate);
    json["copies"] = it.fate.copies;
    json["delay_ns"] = it.fate.delay.count();
    json["sent_ns"] = nanoseconds(it.sent_at);
    if (!it.activity.empty()) json["activity"] = it.activity.str();
  }
  void operator()(const ArrivalRecord& it) const {
    json["event"] = "arrival";
    put_packet(json, it.packet);
    json["copy"] = it.copy;
    json["corrupted"] = it.corrupted;
    json["sent_ns"] = nanoseconds(it.sent_at);
    json["arrived_ns"] = nanoseconds(it.arrived_at);
    json["read"] = it.read;
  }
};

}  // namespace

Journal::Journal(std::function<Instant()> now, std::function<void(const Event&)> sink)
    : now_(std::move(now)), sink_(std::move(sink)) {}

void Journal::record(std::string actor, decltype(Event::what) what) {
  events_.push_back(Event{now_(), std::move(actor), std::move(what)});
  if (sink_) sink_(events_.back());
}

void Journal::on_fate(const FateRecord& record) {
  this->record("", record);
}

void Journal::on_arrival(const ArrivalRecord& record) {
  this->record("", record);
}

std::string event_to_json(const Event& event) {
  Json json;
  json["at_ns"] = nanoseconds(event.at);
  json["actor"] = event.actor;
  std::visit(EventWriter{json}, event.what);
  // A path or a name may hold octets that are no UTF-8; they must not end the run.
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace netrig
