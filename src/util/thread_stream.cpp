#include "util/error.hpp"
#include "util/stream.hpp"
#include "util/threads.hpp"

#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace cairn {

namespace {

/// A bounded queue of blocks between one writer and one reader.
class Channel final : public Source, public Sink {
public:
  std::size_t read(std::span<std::byte> buffer) override {
    std::unique_lock lock(mutex_);
    readable_.wait(lock, [&] { return !blocks_.empty() || ended_ || writer_gone_; });
    if (blocks_.empty()) {
      if (writer_error_)
        std::rethrow_exception(writer_error_);
      if (!ended_)
        throw Error("read: the writer gave up");
      return 0;
    }
    auto& block = blocks_.front();
    const auto count = std::min(buffer.size(), block.size() - offset_);
    std::copy_n(block.begin() + static_cast<std::ptrdiff_t>(offset_), count, buffer.begin());
    offset_ += count;
    if (offset_ == block.size()) {
      blocks_.pop_front();
      offset_ = 0;
      writable_.notify_one();
    }
    return count;
  }

  void write(std::span<const std::byte> bytes) override {
    while (!bytes.empty()) {
      const auto part = bytes.first(std::min(bytes.size(), stream_block));
      bytes = bytes.subspan(part.size());
      std::unique_lock lock(mutex_);
      // Small writes share a block, so that the queue's length bounds its memory.
      if (!blocks_.empty() && blocks_.back().size() + part.size() <= stream_block &&
          blocks_.size() > 1) {
        blocks_.back().insert(blocks_.back().end(), part.begin(), part.end());
        continue;
      }
      writable_.wait(lock, [&] { return blocks_.size() < max_blocks || reader_gone_; });
      if (reader_gone_)
        throw Error("write: the reader gave up");
      blocks_.emplace_back(part.begin(), part.end());
      readable_.notify_one();
    }
  }

  void end() {
    const std::lock_guard lock(mutex_);
    ended_ = true;
    readable_.notify_one();
  }

  void abandon_writing(std::exception_ptr error) {
    const std::lock_guard lock(mutex_);
    writer_gone_ = true;
    writer_error_ = std::move(error);
    readable_.notify_one();
  }

  void abandon_reading() {
    const std::lock_guard lock(mutex_);
    reader_gone_ = true;
    writable_.notify_one();
  }

private:
  static constexpr std::size_t max_blocks = 16;

  std::mutex mutex_;
  std::condition_variable readable_;
  std::condition_variable writable_;
  std::deque<std::vector<std::byte>> blocks_;
  std::size_t offset_ = 0;
  bool ended_ = false;
  bool writer_gone_ = false;
  bool reader_gone_ = false;
  std::exception_ptr writer_error_;
};

} // namespace

struct ThreadSink::Shared {
  Channel channel;
  std::exception_ptr reader_error;
  std::jthread thread;
};

ThreadSink::ThreadSink(std::function<void(Source&)> consume) : shared_(std::make_shared<Shared>()) {
  auto* shared = shared_.get();
  shared->thread = start_thread([shared, consume = std::move(consume)] {
    try {
      consume(shared->channel);
    } catch (...) {
      shared->reader_error = std::current_exception();
    }
    shared->channel.abandon_reading();
  });
}

ThreadSink::~ThreadSink() {
  if (!shared_->thread.joinable())
    return;
  shared_->channel.abandon_writing(nullptr);
  shared_->thread.join();
}

void ThreadSink::write(std::span<const std::byte> bytes) {
  try {
    shared_->channel.write(bytes);
  } catch (const Error&) {
    if (shared_->thread.joinable())
      shared_->thread.join();
    if (shared_->reader_error)
      std::rethrow_exception(shared_->reader_error);
    throw;
  }
}

void ThreadSink::finish() {
  shared_->channel.end();
  if (shared_->thread.joinable())
    shared_->thread.join();
  if (shared_->reader_error)
    std::rethrow_exception(shared_->reader_error);
}

struct ThreadSource::Shared {
  Channel channel;
  std::jthread thread;
};

ThreadSource::ThreadSource(std::function<void(Sink&)> produce)
    : shared_(std::make_shared<Shared>()) {
  auto* shared = shared_.get();
  shared->thread = start_thread([shared, produce = std::move(produce)] {
    try {
      produce(shared->channel);
      shared->channel.end();
    } catch (...) {
      shared->channel.abandon_writing(std::current_exception());
    }
  });
}

ThreadSource::~ThreadSource() {
  shared_->channel.abandon_reading();
  shared_->thread.join();
}

std::size_t ThreadSource::read(std::span<std::byte> buffer) {
  return shared_->channel.read(buffer);
}

} // namespace cairn
