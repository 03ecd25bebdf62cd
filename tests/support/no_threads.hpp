#pragma once

#include <pthread.h>

#include <cstddef>

namespace cairn::test {

/// While it lives no thread can be started, as in a pod that has as many as it may: there is no
/// room for its stack.
class NoThreads {
public:
  NoThreads() {
    ::pthread_getattr_default_np(&before_);
    pthread_attr_t greedy;
    ::pthread_attr_init(&greedy);
    ::pthread_attr_setstacksize(&greedy, std::size_t{1} << 47);
    ::pthread_setattr_default_np(&greedy);
    ::pthread_attr_destroy(&greedy);
  }
  NoThreads(const NoThreads&) = delete;
  NoThreads& operator=(const NoThreads&) = delete;
  ~NoThreads() {
    ::pthread_setattr_default_np(&before_);
    ::pthread_attr_destroy(&before_);
  }

private:
  pthread_attr_t before_{};
};

} // namespace cairn::test
