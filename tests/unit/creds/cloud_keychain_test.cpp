#include "creds/cloud/cloud_keychain.hpp"
#include "exchange.hpp"
#include "notes.hpp"

using namespace cairn;

namespace {

/// A cloud that has one registry and does what a case says.
class FakeTokenProvider final : public TokenProvider {
public:
  using Mint = std::function<std::optional<MintedCredential>()>;
  FakeTokenProvider(int& asked, Mint mint) : asked_(asked), mint_(std::move(mint)) {}

  std::string_view name() const override { return "fake"; }
  bool covers(std::string_view registry) const override { return registry == "own.example"; }
  std::optional<MintedCredential> mint(const std::string& registry) override {
    CHECK(registry == "own.example");
    ++asked_;
    return mint_();
  }

private:
  int& asked_;
  Mint mint_;
};

struct KeychainFixture : CloudFixture {
  Notes notes;
  int asked = 0;

  std::unique_ptr<Keychain> keychain(FakeTokenProvider::Mint mint) {
    CloudMinters providers;
    providers.push_back(std::make_unique<FakeTokenProvider>(asked, std::move(mint)));
    const Retry retry(
        {.attempts = 2}, [](Milliseconds) {}, [] { return 0.0; }, [this] { return now; }, notes);
    return make_cloud_keychain(
        std::move(providers), retry, [this] { return now; }, notes);
  }

  MintedCredential minted(std::chrono::seconds life) const {
    MintedCredential one{{}, now + life};
    one.credential.password = std::to_string(asked);
    return one;
  }
};

std::string password(Keychain& keychain) {
  const auto found = keychain.find(ImageRef::parse("own.example/a/b:1"));
  return found ? found->password : "none";
}

} // namespace

TEST_CASE_FIXTURE(KeychainFixture, "a cloud is never asked about registries of others") {
  const auto chain = keychain([&] { return minted(std::chrono::hours(1)); });
  for (const char* image :
       {"busybox", "own.example:5000/a", "not.own.example/a", "own.example.evil/a"})
    CHECK_FALSE(chain->find(ImageRef::parse(image)));
  CHECK(asked == 0);
  CHECK(chain->places() == "fake");
}

TEST_CASE_FIXTURE(KeychainFixture, "a token is kept until shortly before it ends") {
  const auto chain = keychain([&] { return minted(std::chrono::hours(1)); });
  CHECK(password(*chain) == "1");
  now += std::chrono::minutes(54);
  CHECK(password(*chain) == "1");
  now += std::chrono::minutes(2);
  CHECK(password(*chain) == "2");
}

TEST_CASE_FIXTURE(KeychainFixture, "a token that has ended is not kept") {
  const auto chain = keychain([&] { return minted(std::chrono::seconds(-5)); });
  CHECK(password(*chain) == "1");
  CHECK(password(*chain) == "2");
}

TEST_CASE_FIXTURE(KeychainFixture, "no identity means anonymous, and is asked for again later") {
  const auto chain = keychain([] { return std::nullopt; });
  CHECK(password(*chain) == "none");
  CHECK(password(*chain) == "none");
  CHECK(asked == 1);
  now += std::chrono::minutes(11);
  CHECK(password(*chain) == "none");
  CHECK(asked == 2);
  CHECK(notes.warnings.empty());
}

TEST_CASE_FIXTURE(KeychainFixture, "an identity that does not work is a warning, once") {
  const auto chain =
      keychain([]() -> std::optional<MintedCredential> { throw Error("role: denied"); });
  CHECK(password(*chain) == "none");
  CHECK(password(*chain) == "none");
  CHECK(notes.warnings ==
        "credential helper fake: own.example: role: denied; going on without it\n");
}

TEST_CASE_FIXTURE(KeychainFixture, "what fails in passing is tried again") {
  const auto chain = keychain([&]() -> std::optional<MintedCredential> {
    if (asked == 1)
      throw TemporaryError("503");
    return minted(std::chrono::hours(1));
  });
  CHECK(password(*chain) == "2");
}
