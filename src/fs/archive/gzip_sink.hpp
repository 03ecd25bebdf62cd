#pragma once

#include "fs/archive/deflate.hpp"

#include <condition_variable>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace cairn {

/// Writes one gzip member (RFC 1952, no name, no time), its blocks compressed by several threads.
/// The blocks are cut by position alone: neither the number of threads nor the sizes of writes
/// show in the result. Threads start when there is more than one block; where there can be none
/// the writer's does their work.
class GzipSink final : public Sink {
public:
  using MakeCodec = std::function<std::unique_ptr<DeflateCodec>()>;

  GzipSink(Sink& to, MakeCodec make_codec, std::size_t threads);
  GzipSink(const GzipSink&) = delete;
  GzipSink& operator=(const GzipSink&) = delete;
  ~GzipSink() override;

  void write(std::span<const std::byte> bytes) override;
  void finish() override;

private:
  struct Job {
    std::vector<std::byte> input; ///< The window before the block, then the block.
    std::size_t window = 0;
    DeflateCodec::End end = DeflateCodec::End::more_follows;
    std::vector<std::byte> output;
    bool done = false;
    std::exception_ptr error;
  };

  void start_block();
  void submit(DeflateCodec::End end);
  void start();
  void work();
  void hand_over(Job& job);
  void collect_front();
  void write_header();
  static void run(DeflateCodec& codec, Job& job);

  Sink& to_;
  MakeCodec make_codec_;
  std::size_t max_threads_;
  bool started_ = false;
  std::unique_ptr<DeflateCodec> codec_; ///< Of the writer's thread, where there is no other.
  std::unique_ptr<Job> current_;
  std::vector<std::unique_ptr<Job>> spare_;
  std::deque<std::unique_ptr<Job>> pending_; ///< In the order of the stream.
  std::uint32_t crc_ = 0;
  std::uint64_t size_ = 0;

  std::mutex mutex_; ///< Guards all below, and `done` of pending jobs.
  std::condition_variable work_ready_;
  std::condition_variable work_done_;
  std::deque<Job*> queue_;
  bool stopping_ = false;
  std::vector<std::jthread> threads_; ///< Last, so that they are joined first.
};

} // namespace cairn
