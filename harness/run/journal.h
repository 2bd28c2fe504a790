#pragma once
// Everything that happened in a run, in order, as typed events. Reports and expectations read it;
// nothing else is kept. Payloads are kept as previews only (kPreviewOctets), sizes in full. It
// grows with the run; each event is also handed to a sink as it happens (the journal.jsonl of the
// run).

#include <cstdint>
#include <functional>
#include <string>
#include <variant>
#include <vector>

#include "harness/base/bytes.h"
#include "harness/base/errno.h"
#include "harness/base/time.h"
#include "harness/link/fate.h"
#include "harness/net/endpoint.h"
#include "harness/scenario/source.h"

namespace netrig {

inline constexpr size_t kPreviewOctets = 96;

// A step of an actor instance began to wait or act. `path` as in Step::path.
struct StepStarted {
  std::string path;
  Location at;
};
// A step ended as the scenario wanted (a failed one is a finding of the run).
struct StepEnded {
  std::string path;
  Location at;
  std::string verb;      // "send"
  int64_t returned = 0;  // octets, messages, an option's value; by verb
  std::string error;     // the errno name that it got as expected; empty for success
};
// Payload handed to or taken from a socket, one message verb or call at a time.
struct Transfer {
  bool sent = false;  // else received
  std::string path;   // the step's
  Location at;
  Transport transport = Transport::kTcp;
  std::string peer;  // the other actor's or instance's name if known, else an endpoint
  uint64_t octets = 0;
  Bytes preview;  // the first kPreviewOctets
};
struct ConnectionOpened {
  uint64_t connection = 0;  // number within the run, from 1; each end has its own
  bool accepted = false;    // else connected
  Transport transport = Transport::kTcp;
  std::string peer;  // actor instance, if known
  Endpoint local, remote;
};
struct ConnectionClosed {
  uint64_t connection = 0;
  std::string how;  // "close", "reset", "end of actor", "end of run"
};
struct ActorStarted {};
struct ActorEnded {
  bool finished = false;  // every step was done
};

struct Event {
  Instant at;
  std::string
      actor;  // instance: "client", "client-3" (count), "server#2" (each); "" for the network
  std::variant<StepStarted, StepEnded, Transfer, ConnectionOpened, ConnectionClosed, ActorStarted,
               ActorEnded, FateRecord, ArrivalRecord>
      what;
};

class Journal : public LinkObserver {
 public:
  // `now` is asked at each event; `sink` may be empty.
  Journal(std::function<Instant()> now, std::function<void(const Event&)> sink);

  void record(std::string actor, decltype(Event::what) what);
  void on_fate(const FateRecord& record) override;
  void on_arrival(const ArrivalRecord& record) override;
  const std::vector<Event>& events() const { return events_; }

 private:
  std::function<Instant()> now_;
  std::function<void(const Event&)> sink_;
  std::vector<Event> events_;
};

// One line of journal.jsonl, without '\n'.
std::string event_to_json(const Event& event);

}  // namespace netrig
