#include "util/shared_result.hpp"
#include "util/threads.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <string>

using namespace cairn;

TEST_SUITE_BEGIN("util/shared_result");

namespace {

template<class Failure>
SharedResult<int> failed(Failure failure) {
  std::promise<int> promise;
  SharedResult<int> result(promise.get_future());
  promise.set_exception(std::make_exception_ptr(std::move(failure)));
  return result;
}

/// Asks again and again, adding context as stages do; how often another's was seen.
int ask_often(const SharedResult<int>& result, const std::string& name) {
  int wrong = 0;
  for (int i = 0; i < 1000; ++i) {
    try {
      within([&] { result.get(); }, "{}", name);
    } catch (Error& error) {
      error.add_hint("of " + name);
      if (error.what() != name + ": gone" || error.detail() != "hint: of " + name)
        ++wrong;
    }
  }
  return wrong;
}

} // namespace

TEST_CASE("whoever asks gets an error of their own, at the same time too") {
  const auto result = failed(Error("gone"));
  std::atomic<int> wrong = 0;
  std::atomic<int> number = 0;
  start_threads(4, [&] {
    wrong += ask_often(result, "stage " + std::to_string(number++));
  }).clear();
  CHECK(wrong == 0);
}

TEST_CASE("a copy of an error is of its type") {
  CHECK_THROWS_AS(failed(TemporaryError("later")).get(), TemporaryError);
  try {
    failed(SysError(ENOSPC, "write")).get();
  } catch (const SysError& error) {
    CHECK(error.is(std::errc::no_space_on_device));
  }
  CHECK_THROWS_AS(failed(std::bad_alloc()).get(), std::bad_alloc);
}

TEST_CASE("a value is there for all, once it is made") {
  std::promise<int> promise;
  const SharedResult<int> result(promise.get_future());
  CHECK(result.valid());
  CHECK_FALSE(result.is_ready());
  promise.set_value(7);
  CHECK(result.is_ready());
  CHECK(result.get() == 7);
  CHECK(SharedResult<int>(result).get() == 7);
  CHECK_FALSE(SharedResult<int>().valid());
}

TEST_SUITE_END();
