#pragma once

#include "creds/cloud/cloud.hpp"
#include "tests/support/fake_http.hpp"
#include "util/file.hpp"

#include <doctest/doctest.h>

#include <deque>
#include <string>
#include <utility>
#include <vector>

namespace cairn {

/// A request as it travels: line, headers in their order, body.
inline std::string wire(const Request& request) {
  auto text = request.method + " " + request.url + "\n";
  for (const auto& [name, value] : request.headers.fields())
    text += name + ": " + value + "\n";
  if (!request.authorization.empty())
    text += "Authorization: " + request.authorization + "\n";
  if (const auto* body = std::get_if<std::string>(&request.body))
    text += "\n" + *body;
  return text;
}

inline Response answer(std::string body, int status = 200, Headers headers = {}) {
  Response response;
  response.status = status;
  response.headers = std::move(headers);
  response.body = std::move(body);
  return response;
}

/// A machine with variables, files and two networks that answer what a case says they do.
struct CloudFixture {
  TempDir directory{"/tmp"};
  Time now = from_unix(1'440'938'160); // 2015-08-30T12:36:00Z
  std::vector<std::string> entries;
  std::deque<Response> answers;          ///< Of the world.
  std::deque<Response> metadata_answers; ///< Of the machine; none: nobody is there.
  FakeHttp http{[this](const Request&) { return next(answers); }};
  FakeHttp metadata{[this](const Request& request) {
    if (metadata_answers.empty())
      throw TemporaryError("{}: nobody answers", describe(request));
    return next(metadata_answers);
  }};
  Variables variables;

  void set(const std::string& entry) {
    entries.push_back(entry);
    variables = Variables(entries);
  }

  std::string file(const std::string& name, const std::string& text) const {
    auto path = directory.path() + "/" + name;
    AtomicFile out(path, 0600);
    out.write(text);
    out.commit();
    return path;
  }

  CloudServices services() {
    return {http, metadata, variables, [this] { return now; }};
  }

  /// What was sent to the world, each request byte by byte.
  std::vector<std::string> sent() const { return wires(http); }
  std::vector<std::string> sent_to_metadata() const { return wires(metadata); }

private:
  static std::vector<std::string> wires(const FakeHttp& fake) {
    std::vector<std::string> all;
    for (const auto& request : fake.requests())
      all.push_back(wire(request));
    return all;
  }

  static Response next(std::deque<Response>& from) {
    REQUIRE_FALSE(from.empty());
    auto response = std::move(from.front());
    from.pop_front();
    return response;
  }
};

/// What `body` throws as text; "" when it does not.
template<class Body>
std::string complaint(const Body& body) {
  try {
    body();
  } catch (const Error& error) {
    return std::string(error.what()) + "\n" + error.detail();
  }
  return {};
}

} // namespace cairn
