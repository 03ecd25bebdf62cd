#include "builder/store/verified_blob.hpp"

#include "util/crypto.hpp"
#include "util/error.hpp"

#include <utility>

namespace cairn {

namespace {

constexpr std::uint64_t max_document = std::uint64_t{8} << 20;

class VerifiedSource final : public Source {
public:
  VerifiedSource(std::unique_ptr<Source> from, Descriptor blob)
      : from_(std::move(from)), blob_(std::move(blob)) {}

  std::size_t read(std::span<std::byte> buffer) override {
    if (ended_)
      return 0;
    const auto count = from_->read(buffer);
    if (count != 0) {
      hash_.write(buffer.first(count));
      total_ += count;
      if (total_ > blob_.size)
        throw Error("blob {} is larger than the {} bytes it should have", blob_.digest.str(),
                    blob_.size);
      return count;
    }
    ended_ = true;
    const auto digest = Digest::from_hex(hash_.hex());
    if (digest != blob_.digest || total_ != blob_.size)
      throw Error("blob {}: got {} bytes with digest {}, expected {} bytes", blob_.digest.str(),
                  total_, digest.str(), blob_.size);
    return 0;
  }

private:
  std::unique_ptr<Source> from_;
  Descriptor blob_;
  Sha256 hash_;
  std::uint64_t total_ = 0;
  bool ended_ = false;
};

} // namespace

std::string stored_text(const BlobStore& blobs, const Descriptor& blob) {
  const auto source = verify_blob(blobs.read(blob.digest), blob);
  return read_all(*source, max_document);
}

std::unique_ptr<Source> verify_blob(std::unique_ptr<Source> from, const Descriptor& blob) {
  return std::make_unique<VerifiedSource>(std::move(from), blob);
}

} // namespace cairn
