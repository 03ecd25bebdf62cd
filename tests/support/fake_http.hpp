#pragma once

#include "net/http.hpp"

#include <functional>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace cairn {

/// Answers requests with a function, and keeps them.
class FakeHttp final : public Http {
public:
  using Answer = std::function<Response(const Request&)>;

  explicit FakeHttp(Answer answer) : answer_(std::move(answer)) {}

  Response send(const Request& request) override {
    {
      const std::lock_guard lock(mutex_);
      requests_.push_back(request);
    }
    auto response = answer_(request);
    if (response.url.empty())
      response.url = request.url;
    if (response.ok() && request.sink != nullptr) {
      if (request.on_success)
        request.on_success(response);
      write_text(*request.sink, std::exchange(response.body, {}));
    }
    return response;
  }

  std::vector<Request> requests() const {
    const std::lock_guard lock(mutex_);
    return requests_;
  }

  /// "METHOD URL" of every request.
  std::vector<std::string> lines() const {
    std::vector<std::string> lines;
    for (const auto& request : requests())
      lines.push_back(request.method + " " + request.url);
    return lines;
  }

private:
  Answer answer_;
  mutable std::mutex mutex_;
  std::vector<Request> requests_;
};

} // namespace cairn
