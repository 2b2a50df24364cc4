// One machine's script from its start to its result, an exchange with Azure a step.
//
// As an action: POST, follow the operation, read the report that the wrapper printed; with
// full_output, further runs bring what did not fit. As a managed run command: PUT, look at its
// instance view, DELETE.
// Never starts a script twice: a start whose fate is unclear is an error that says so.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "azure/arm.hpp"
#include "azure/machine.hpp"
#include "azure/operation.hpp"
#include "azure/run_command.hpp"
#include "azure/script.hpp"
#include "azure/script_report.hpp"
#include "azure/ticket.hpp"
#include "base/error.hpp"

namespace azure {

// What is to be run, the same on every machine.
struct Job {
  std::optional<Script> script;           // none: Azure's own command alone
  bool shell_known = true;                // false: asked from each machine
  std::string command;                    // the command's id; "" for the one that runs scripts
  bool raw = false;                       // unwrapped: without exit code and byte counts
  std::vector<Parameter> raw_parameters;  // brought by Azure, as there is no wrapper
  bool full_output = false;               // actions only
  bool managed = false;
  std::string run_as_user;  // managed only
  std::string run_as_password;
  int64_t timeout_ms = 5'400'000;      // from the first step; a managed script is ended then
  int64_t wait_conflict_ms = 600'000;  // for another script on the machine to end
  int64_t longest_poll_ms = 10'000;
  bool detach = false;  // over as soon as it is started
  // Told of output while a managed script runs, and of what else a person wants to know meanwhile.
  // Called by whichever thread makes the step.
  std::function<void(const Machine& machine, bool is_errors, const std::string& text)> on_output;
  std::function<void(const Machine& machine, const std::string& text)> on_notice;
};

// One of the script's streams.
struct Captured {
  std::string bytes;
  int64_t offset = 0;                  // of the first of them
  std::optional<int64_t> total_bytes;  // of the script's output; nothing: not known
  bool is_cut = false;                 // there was more, or may have been
};

enum class Outcome {
  pending,     // not begun, or running still
  succeeded,   // exit code 0, or Azure says so and there is none to be known
  failed,      // the script ran, and failed
  detached,    // started, and left to itself
  unfinished,  // started, or perhaps started, but how it ended is not known: error says why
  error,       // not started, or Azure could not do it
};

struct Result {
  Outcome outcome = Outcome::pending;
  std::optional<int64_t> exit_code;
  Captured output;
  Captured errors;
  std::optional<base::Error> error;
  std::optional<base::Error> rest_error;  // why output that was asked for was not fetched
  std::vector<std::string> notices;       // of what did not go as wished beside the script
  bool is_cut_short = false;              // by cancel()
  int64_t seconds = 0;
};

class Run {
 public:
  // `id`: 16 hex digits that nobody can guess. Arm and job must live as long.
  Run(const Arm& arm, const Job& job, Machine machine, std::string id);
  // Goes on with one that was started before. Throws 65 when its addresses are not of `arm`.
  Run(const Arm& arm, const Job& job, const Ticket& ticket);

  // The next exchange. Returns in how many ms the one after it is due; nothing when it is over.
  std::optional<int64_t> step(const net::Http& http);

  // Stops following. True when there are steps left to do: a managed run command is deleted, which
  // ends its script. An action's script goes on, and there is a ticket.
  bool cancel(const base::Error& why);
  // The steps left to do will not be done.
  void abandon();

  // The output has been shown, and is not asked for again.
  void forget_output();

  bool is_over() const { return state_ == State::over; }
  const Machine& machine() const { return machine_; }
  const Result& result() const { return result_; }
  // Of a script that was started and may be running still.
  std::optional<Ticket> ticket() const;

 private:
  enum class State { look, start, follow, put, unclear, view, remove, over };
  using Wait = std::optional<int64_t>;

  void take(const Ticket& ticket);
  Wait take_step(const net::Http& http);
  int64_t left_ms() const;
  void check_time();
  Wait look(const net::Http& http);
  void compose();
  int64_t next_poll_ms(const net::HttpResponse& reply);
  std::string folder_there() const;
  Wait wait_for_other(const net::HttpResponse& reply);
  base::Error forgotten();
  Wait fail(const base::Error& error);
  Wait end(Outcome outcome);

  // An action.
  Wait start(const net::Http& http);
  Wait follow(const net::Http& http);
  Wait take_operation();
  Wait take_report(const Report& report);
  Wait fetch_more(int64_t came_bytes);

  // A managed run command.
  Wait put(const net::Http& http);
  Wait ask_if_there(const net::Http& http);
  Wait view(const net::Http& http);
  void tell_news(const ManagedState& now);
  Wait end_view(const ManagedState& now);
  Wait remove(const net::Http& http);

  const Arm& arm_;
  const Job& job_;
  Machine machine_;
  std::string id_;
  std::string nonce_;  // of the report that the wrapper prints; "": nothing is wrapped
  Exchange exchange_;
  State state_ = State::look;
  Shell shell_ = Shell::sh;
  std::string to_send_;      // the text of the next start
  bool is_started_ = false;  // a script runs there, as far as is known
  bool is_fetching_ = false;
  Operation operation_;
  std::string managed_name_;
  ManagedState seen_;               // the last view
  std::optional<base::Error> why_;  // of a start whose fate is unclear
  int64_t began_ms_ = -1;
  int64_t busy_since_ms_ = -1;
  int64_t poll_ms_ = 0;
  Result result_;
};

}  // namespace azure
