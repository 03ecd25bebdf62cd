#include "fs/archive/gzip_sink.hpp"

#include "util/threads.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace cairn {

namespace {

constexpr std::size_t block_size = std::size_t{512} * 1024;

std::byte byte_of(std::uint64_t number, unsigned index) {
  return static_cast<std::byte>(number >> (8 * index));
}

} // namespace

GzipSink::GzipSink(Sink& to, MakeCodec make_codec, std::size_t threads)
    : to_(to), make_codec_(std::move(make_codec)), max_threads_(threads) {
  start_block();
}

GzipSink::~GzipSink() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    queue_.clear();
  }
  work_ready_.notify_all();
}

void GzipSink::start_block() {
  if (spare_.empty()) {
    current_ = std::make_unique<Job>();
    current_->input.reserve(deflate_window + block_size);
    return;
  }
  current_ = std::move(spare_.back());
  spare_.pop_back();
  current_->input.clear();
  current_->output.clear();
  current_->window = 0;
  current_->done = false;
}

void GzipSink::write(std::span<const std::byte> bytes) {
  crc_ = gzip_crc(crc_, bytes);
  size_ += bytes.size();
  while (!bytes.empty()) {
    // A full block waits for more to come, because the last one is marked as such.
    if (current_->input.size() == current_->window + block_size)
      submit(DeflateCodec::End::more_follows);
    const auto room = current_->window + block_size - current_->input.size();
    const auto part = bytes.first(std::min(bytes.size(), room));
    current_->input.insert(current_->input.end(), part.begin(), part.end());
    bytes = bytes.subspan(part.size());
  }
}

void GzipSink::submit(DeflateCodec::End end) {
  if (!std::exchange(started_, true))
    start();
  while (pending_.size() > threads_.size())
    collect_front();

  auto* const job = current_.get();
  job->end = end;
  pending_.push_back(std::move(current_));
  if (end == DeflateCodec::End::more_follows) {
    start_block();
    current_->input.assign(job->input.end() - deflate_window, job->input.end());
    current_->window = deflate_window;
  }
  hand_over(*job);
}

void GzipSink::start() {
  write_header();
  threads_ = start_threads(max_threads_, [this] { work(); });
}

void GzipSink::hand_over(Job& job) {
  if (threads_.empty()) {
    if (!codec_)
      codec_ = make_codec_();
    run(*codec_, job);
    job.done = true;
    return;
  }
  {
    const std::lock_guard lock(mutex_);
    queue_.push_back(&job);
  }
  work_ready_.notify_one();
}

void GzipSink::work() {
  std::unique_ptr<DeflateCodec> codec;
  std::unique_lock lock(mutex_);
  for (;;) {
    work_ready_.wait(lock, [&] { return stopping_ || !queue_.empty(); });
    if (stopping_)
      return;
    auto& job = *queue_.front();
    queue_.pop_front();
    lock.unlock();
    try {
      if (!codec)
        codec = make_codec_();
      run(*codec, job);
    } catch (...) {
      job.error = std::current_exception();
    }
    lock.lock();
    job.done = true;
    work_done_.notify_one();
  }
}

void GzipSink::run(DeflateCodec& codec, Job& job) {
  const std::span<const std::byte> input(job.input);
  codec.compress(input.first(job.window), input.subspan(job.window), job.end, job.output);
}

void GzipSink::collect_front() {
  {
    std::unique_lock lock(mutex_);
    work_done_.wait(lock, [&] { return pending_.front()->done; });
  }
  auto job = std::move(pending_.front());
  pending_.pop_front();
  if (job->error)
    std::rethrow_exception(job->error);
  to_.write(job->output);
  spare_.push_back(std::move(job));
}

void GzipSink::write_header() {
  // Deflate, no flags, no time, unknown system.
  constexpr std::array<unsigned char, 10> header{0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff};
  to_.write(std::as_bytes(std::span(header)));
}

void GzipSink::finish() {
  if (!started_) {
    write_header();
    current_->end = DeflateCodec::End::last;
    run(*make_codec_(), *current_);
    to_.write(current_->output);
  } else {
    submit(DeflateCodec::End::last);
    while (!pending_.empty())
      collect_front();
  }
  std::array<std::byte, 8> trailer;
  for (unsigned i = 0; i < 4; ++i) {
    trailer.at(i) = byte_of(crc_, i);
    trailer.at(i + 4) = byte_of(size_, i);
  }
  to_.write(trailer);
}

} // namespace cairn
