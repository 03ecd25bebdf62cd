// Pulls and pushes with the registry floor alone, for tests/functional/registry_*.py.
//
//   registry_tool [--option=value]... COMMAND ARGUMENT...
//
// Credentials come from DOCKER_CONFIG; images are kept in a folder of blobs by digest.

#include "creds/docker/keychain.hpp"
#include "net/ca_pool.hpp"
#include "net/http_curl.hpp"
#include "oci/blob_store.hpp"
#include "registry/mirrors.hpp"
#include "registry/push.hpp"
#include "registry/resolve.hpp"
#include "util/error.hpp"
#include "util/file.hpp"
#include "util/parallel.hpp"
#include "util/text.hpp"

#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <map>

extern char** environ;

using namespace cairn;

namespace {

class StderrProgress final : public Progress {
public:
  void log(Level, std::string_view message) noexcept override {
    std::fprintf(stderr, "%.*s\n", static_cast<int>(message.size()), message.data());
  }
  void step_done(std::string_view, std::string_view, std::chrono::nanoseconds) noexcept override {}
};

std::string env(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

struct Arguments {
  std::multimap<std::string, std::string> options;
  std::vector<std::string> words;

  bool has(const std::string& name) const { return options.contains(name); }
  std::string get(const std::string& name, const std::string& otherwise) const {
    const auto found = options.find(name);
    return found == options.end() ? otherwise : found->second;
  }
  unsigned number(const std::string& name, unsigned otherwise) const {
    return static_cast<unsigned>(parse_unsigned(get(name, "")).value_or(otherwise));
  }
  template<class Use>
  void each(const std::string& name, const Use& use) const {
    const auto [first, last] = options.equal_range(name);
    for (auto option = first; option != last; ++option)
      use(option->second);
  }
};

Arguments parse_arguments(int argc, char** argv) {
  Arguments arguments;
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (!word.starts_with("--")) {
      arguments.words.emplace_back(word);
      continue;
    }
    const auto parts = cut(word.substr(2), '=');
    arguments.options.emplace(parts ? std::string(parts->first) : std::string(word.substr(2)),
                              parts ? std::string(parts->second) : std::string());
  }
  return arguments;
}

RegistryOptions registry_options(const Arguments& arguments) {
  RegistryOptions options;
  options.insecure_pull = options.insecure_push = arguments.has("insecure");
  options.skip_tls_verify_pull = options.skip_tls_verify_push = arguments.has("skip-tls-verify");
  arguments.each("certificate", [&](const auto& flag) { options.add_certificate(flag); });
  arguments.each("client-cert", [&](const auto& flag) { options.add_client_certificate(flag); });
  return options;
}

std::unique_ptr<Keychain> keychain(Progress& progress) {
  CredentialPlaces places;
  places.auth_config_text = env("DOCKER_AUTH_CONFIG");
  places.docker_config = env("DOCKER_CONFIG");
  HelperEnvironment helpers;
  helpers.path = env("PATH");
  for (char** entry = environ; *entry != nullptr; ++entry)
    helpers.environment.emplace_back(*entry);
  return make_docker_keychain(load_docker_configs(places), std::move(helpers), progress);
}

void print(const std::string& line) {
  std::printf("%s\n", line.c_str());
}

/// One run of the tool: what its commands share.
struct Tool {
  Arguments arguments;
  RegistryClient& client;
  Progress& progress;

  ImageRef ref(std::size_t i) const { return ImageRef::parse(arguments.words.at(i)); }
  const std::string& word(std::size_t i) const { return arguments.words.at(i); }
  Platform platform() const { return Platform::parse(arguments.get("platform", "linux/amd64")); }

  std::vector<ImageRef> candidates() const {
    RegistryMap map;
    arguments.each("map", [&](const auto& flag) { map.add(flag); });
    return map.candidates(ref(1));
  }

  void manifest() const {
    const auto found = client.get_manifest(ref(1));
    print(found ? found->media_type + " " + found->digest.str() : "none");
  }

  void head() const {
    const auto found = client.head_manifest(ref(1));
    print(found ? fmt::format("{} {} {}", found->media_type, found->digest.str(), found->size)
                : "none");
  }

  void resolve() const {
    const auto image = resolve_image(client, candidates(), platform(), progress);
    print(image.ref.str());
    print(image.descriptor.digest.str());
    print(image.index ? image.index->str() : "no index");
    print(image.descriptor.platform ? image.descriptor.platform->str() : "no platform");
    print(image.manifest.config.digest.str());
  }

  void pull() const {
    const auto image = resolve_image(client, candidates(), platform(), progress);
    const BlobStore store(word(2));
    store.put(image.config);
    parallel_for(image.manifest.layers.size(), 4, [&](std::size_t i) {
      const auto& layer = image.manifest.layers[i];
      BlobStore::Writer writer(store);
      copy(*client.read_blob(image.ref, layer), writer);
      writer.commit(layer.digest, layer.size);
    });
    print(store.put(image.manifest.raw).str());
  }

  void blob() const {
    FileSink out{FdRef(STDOUT_FILENO)};
    client.fetch_blob(ref(1), {"", Digest::parse(word(2)), parse_unsigned(word(3)).value()}, out);
  }

  void drop() const {
    const auto source =
        client.read_blob(ref(1), {"", Digest::parse(word(2)), parse_unsigned(word(3)).value()});
    std::byte first{};
    print(std::to_string(source->read(std::span(&first, 1))));
  }

  void push() const {
    const BlobStore store(word(1));
    const auto raw = read_all(*store.read(Digest::parse(word(2))), 1 << 20);
    const auto manifest = Manifest::parse(raw, media_type::oci_manifest);
    std::vector<ImageRef> from;
    arguments.each("from", [&](const auto& name) { from.push_back(ImageRef::parse(name)); });
    std::vector<ImageRef> destinations;
    for (std::size_t i = 3; i < arguments.words.size(); ++i)
      destinations.push_back(ref(i));
    push_image(client,
               {.destinations = destinations,
                .documents = {document_of(manifest)},
                .open = [&](const Descriptor& blob) { return store.read(blob.digest); },
                .known_in = [&](const Digest&) { return from; },
                .immutable_tags =
                    arguments.has("ignore-immutable") ? ImmutableTags::accept : ImmutableTags::fail,
                .parallel = arguments.number("parallel", 4)},
               progress);
  }

  void index() const {
    const auto raw = read_file(current_directory(), word(1), 1 << 20);
    print(client.put_manifest(ref(2), raw, word(3)).str());
  }

  void mount() const {
    print(client.mount_blob(ref(1), Digest::parse(word(2)), word(3)) ? "mounted" : "not mounted");
  }

  void has() const { print(client.has_blob(ref(1), Digest::parse(word(2))) ? "yes" : "no"); }

  void check() const { client.check_push(ref(1)); }

  void login() const {
    const auto used = client.check_login(ref(1));
    print(used ? used->describe() : "anonymous");
  }

  void run() const {
    const std::map<std::string, void (Tool::*)() const> commands = {
        {"manifest", &Tool::manifest}, {"head", &Tool::head},   {"resolve", &Tool::resolve},
        {"pull", &Tool::pull},         {"blob", &Tool::blob},   {"drop", &Tool::drop},
        {"push", &Tool::push},         {"index", &Tool::index}, {"mount", &Tool::mount},
        {"has", &Tool::has},           {"check", &Tool::check}, {"login", &Tool::login},
    };
    (this->*commands.at(word(0)))();
  }
};

void run(int argc, char** argv) {
  const auto arguments = parse_arguments(argc, argv);
  StderrProgress progress;
  HttpOptions http_options;
  http_options.ca_pool = load_ca_pool({});
  http_options.proxy = {env("HTTP_PROXY"), env("HTTPS_PROXY"), env("NO_PROXY")};
  http_options.connect_timeout = std::chrono::seconds(5);
  http_options.pace.stall = std::chrono::seconds(arguments.number("stall", 60));
  http_options.pace.window = std::chrono::seconds(arguments.number("window", 60));
  http_options.pace.report = std::chrono::seconds(arguments.number("report", 10));
  http_options.progress = &progress;
  const auto http = make_http(http_options);
  const auto keys = keychain(progress);
  RetryPolicy retry;
  retry.attempts = arguments.number("attempts", 4);
  retry.first = Milliseconds(arguments.number("first-pause", 20));
  RegistryClient client({.http = *http, .keychain = *keys, .progress = progress, .retry = retry},
                        registry_options(arguments));
  Tool{arguments, client, progress}.run();
}

} // namespace

int main(int argc, char** argv) {
  // As the programs do: a credential helper may end before it has read what it is told.
  ::signal(SIGPIPE, SIG_IGN);
  try {
    run(argc, argv);
    return 0;
  } catch (const Error& error) {
    std::fprintf(stderr, "error: %s\n%s\n", error.what(), error.detail().c_str());
    return error.exit_status();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "usage: %s\n", error.what());
    return 2;
  }
}
