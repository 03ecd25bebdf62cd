#include "apps/argo/run.hpp"

#include "apps/argo/command.hpp"
#include "apps/argo/http_server.hpp"
#include "apps/argo/plugin_actions.hpp"
#include "apps/argo/plugin_jobs.hpp"
#include "apps/shared/network.hpp"
#include "apps/shared/signals.hpp"
#include "util/crypto.hpp"
#include "util/error.hpp"
#include "util/file.hpp"
#include "util/text.hpp"

namespace cairn {

namespace {

using std::chrono::milliseconds;

/// Argo's agent gives up after 30 seconds.
constexpr milliseconds patience{15'000};
constexpr std::uint64_t max_token = 4096;

class Plugin {
public:
  Plugin(const ServeCommand& command, Network& network, Progress& progress)
      : command_(command), network_(network), progress_(progress) {}

  std::optional<HttpReply> answer(const HttpQuery& query, milliseconds waited) {
    if (query.path != "/api/v1/template.execute")
      return HttpReply{404, "this plugin executes templates\n"};
    if (query.method != "POST")
      return HttpReply{405, "POST is wanted\n"};
    if (!is_allowed(query.authorization))
      return HttpReply{403, "the token is not the one of " + command_.token_file + "\n"};
    try {
      const auto request = parse_plugin_request(query.body);
      if (!request.task)
        return HttpReply{200, not_ours()};
      return execute(request, waited);
    } catch (const Error& error) {
      progress_.warn("{}", error.what());
      return HttpReply{200, plugin_reply({NodePhase::failed, printable(error.what())})};
    }
  }

private:
  /// The agent's token is made anew with each pod; the file is read each time.
  bool is_allowed(const std::string& authorization) const {
    if (command_.token_file.empty())
      return true;
    const auto file = read_file(current_directory(), command_.token_file, max_token);
    // Digests tell nothing by how long it takes to compare them.
    return !trim(file).empty() &&
           sha256_hex(authorization) == sha256_hex("Bearer " + std::string(trim(file)));
  }

  std::optional<HttpReply> execute(const PluginRequest& request, milliseconds waited) {
    const bool is_known = jobs_.start(request.key, [this, task = *request.task] {
      return run_plugin_task(task, network_, progress_);
    });
    if (!is_known)
      return HttpReply{503, "too much to do at the moment\n"};
    if (const auto result = jobs_.take(request.key)) {
      progress_.info("{}", result->message);
      return HttpReply{200, plugin_reply(*result)};
    }
    if (waited < patience)
      return std::nullopt;
    return HttpReply{200, plugin_reply({NodePhase::running, "still at it"})};
  }

  const ServeCommand& command_;
  Network& network_;
  Progress& progress_;
  PluginJobs jobs_;
};

int serve(const ServeCommand& command, const ProcessEnvironment& environment,
          StandardStreams streams) {
  const auto log = make_log(command.log, streams.err);
  std::atomic<bool> cancel = false;
  const SignalWatch signals([&](int) { cancel = true; });
  Network network(command.registry, environment, *log, cancel);
  Plugin plugin(command, network, *log);
  HttpServer server(command.port, [&](const HttpQuery& query, milliseconds waited) {
    return plugin.answer(query, waited);
  });
  log->info("listening on 127.0.0.1:{}", server.port());
  server.run([&] { return cancel.load(); });
  return 0;
}

} // namespace

int run_argo_plugin(const std::vector<std::string>& arguments,
                    const ProcessEnvironment& environment, StandardStreams streams) {
  try {
    const auto command = parse_plugin(arguments, environment);
    if (const auto* text = std::get_if<TextCommand>(&command)) {
      print(streams.out, text->text);
      return 0;
    }
    return serve(std::get<ServeCommand>(command), environment, streams);
  } catch (...) {
    return print_exception(streams.err);
  }
}

} // namespace cairn
