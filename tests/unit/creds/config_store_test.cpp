#include "creds/docker/config_store.hpp"
#include "notes.hpp"
#include "util/error.hpp"
#include "util/file.hpp"

#include <doctest/doctest.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace cairn;

namespace {

struct Store {
  TempDir directory{"/tmp"};
  Notes notes;

  std::string at(const std::string& name) const { return directory.path() + "/" + name; }

  void write(const ConfigFolder& folder, std::string_view text = "{}") {
    write_credential_file(folder, "config.json", text, notes);
  }

  static struct stat status(const std::string& path) {
    struct stat found {};
    REQUIRE(::lstat(path.c_str(), &found) == 0);
    return found;
  }

  static std::vector<std::string> names(const std::string& path) {
    return list_directory(open_at(current_directory(), path, O_RDONLY | O_DIRECTORY));
  }
};

} // namespace

TEST_CASE_FIXTURE(Store, "a folder of mode 0700 and a file of mode 0600, whatever the umask") {
  const auto before = ::umask(0);
  write({.path = at("a/b")}, "text");
  ::umask(0277);
  write({.path = at("a/b")}, "newer");
  ::umask(before);
  CHECK((status(at("a/b")).st_mode & 07777) == 0700);
  CHECK((status(at("a/b/config.json")).st_mode & 07777) == 0600);
  CHECK(read_file(current_directory(), at("a/b/config.json"), 100) == "newer");
  CHECK(names(at("a/b")) == std::vector<std::string>{"config.json"});
}

TEST_CASE_FIXTURE(Store, "a link at the file's name is replaced, not followed") {
  make_directories(at("d"));
  AtomicFile other(at("other"));
  other.write("other");
  other.commit();
  REQUIRE(::symlink(at("other").c_str(), at("d/config.json").c_str()) == 0);
  write({.path = at("d")}, "mine");
  CHECK(read_file(current_directory(), at("other"), 100) == "other");
  CHECK(S_ISREG(status(at("d/config.json")).st_mode));
}

TEST_CASE_FIXTURE(Store, "a folder that others could enter is closed to them") {
  make_directories(at("open"));
  REQUIRE(::chmod(at("open").c_str(), 0777) == 0);
  write({.path = at("open")});
  CHECK((status(at("open")).st_mode & 0777) == 0700);
}

TEST_CASE_FIXTURE(Store, "a disk is worth a warning, an error or nothing, as the rule says") {
  if (is_in_memory(directory.fd())) {
    MESSAGE("skip: /tmp is in memory here");
    return;
  }
  write({.path = at("d"), .disk = DiskRule::allow});
  CHECK(notes.warnings.empty());
  write({.path = at("d")});
  CHECK(notes.warnings.starts_with(at("d") + " is not in memory: "));
  CHECK_THROWS_WITH_AS(write({.path = at("refused"), .disk = DiskRule::refuse}),
                       doctest::Contains("config.json': it is not in memory"), Error);
  CHECK(names(at("refused")).empty());
}

TEST_CASE_FIXTURE(Store, "memory is what no rule is about") {
  const auto shared = try_open_at(current_directory(), "/dev/shm", O_RDONLY | O_DIRECTORY);
  if (!shared || !is_in_memory(*shared) || ::access("/dev/shm", W_OK) != 0) {
    MESSAGE("skip: /dev/shm is no tmpfs here");
    return;
  }
  const TempDir memory("/dev/shm");
  write({.path = memory.path() + "/d", .disk = DiskRule::refuse});
  CHECK(notes.warnings.empty());
}

TEST_CASE_FIXTURE(Store, "both can be given to another user") {
  if (::geteuid() != 0) {
    MESSAGE("skip: that takes root");
    return;
  }
  write({.path = at("d"), .owner = FileOwner{1234, 5678}});
  for (const auto* name : {"d", "d/config.json"}) {
    CHECK(status(at(name)).st_uid == 1234);
    CHECK(status(at(name)).st_gid == 5678);
  }
}

TEST_CASE_FIXTURE(Store, "what cannot be written leaves nothing behind") {
  AtomicFile file(at("file"));
  file.commit();
  CHECK_THROWS_WITH_AS(write({.path = at("file/d")}), doctest::Contains("write '"), SysError);
  make_directories(at("d/config.json/x"));
  CHECK_THROWS_AS(write({.path = at("d")}), SysError);
  CHECK(names(at("d")) == std::vector<std::string>{"config.json"});
}

TEST_CASE_FIXTURE(Store, "erasing says whether there was anything") {
  write({.path = at("d")});
  CHECK(erase_credential_file(at("d"), "config.json"));
  CHECK_FALSE(erase_credential_file(at("d"), "config.json"));
  CHECK_FALSE(erase_credential_file(at("none"), "config.json"));
}
