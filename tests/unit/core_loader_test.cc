#include "lib/io/core_loader.h"

#include <dlfcn.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "tests/unit/temporary_file.h"

namespace socksify {
namespace {

// The core that was built with these tests, beside them.
std::string CoreFile() {
  return std::filesystem::read_symlink("/proc/self/exe").replace_filename(kCoreFile);
}

TEST(CoreLoaderTest, LoadsTheCoreAndItsEngineWorks) {
  auto core = LoadCore(CoreFile());
  ASSERT_TRUE(core.ok()) << core.status().message();
  EXPECT_STREQ((*core)->version, SOCKSIFY_VERSION);
  Config config;
  config.methods = {Method::kNone};
  auto engine = (*core)->new_client(config, {"localhost", 1080}, std::nullopt);
  ASSERT_TRUE(engine->Prepare().ok());
  EXPECT_EQ(Hex(engine->output()), "050100");
}

TEST(CoreLoaderTest, TheSameCoreEveryTime) {
  auto first = LoadCore(CoreFile());
  auto second = LoadCore(CoreFile());
  ASSERT_TRUE(first.ok() && second.ok());
  EXPECT_EQ(*first, *second);
}

TEST(CoreLoaderTest, KeepsItsNamesToItself) {
  ASSERT_TRUE(LoadCore(CoreFile()).ok());
  void* library = dlopen(CoreFile().c_str(), RTLD_NOW | RTLD_NOLOAD);
  ASSERT_NE(library, nullptr);
  void* core = dlsym(library, kCoreSymbol);
  EXPECT_NE(core, nullptr);
  EXPECT_NE(dlsym(RTLD_DEFAULT, kCoreSymbol), core);  // RTLD_LOCAL
  dlclose(library);
}

TEST(CoreLoaderTest, WhatIsNoCoreIsAnErrorThatNamesIt) {
  TemporaryDirectory directory;
  for (const std::string& path :
       {directory.path() + "/none.so", directory.Write("text.so", "not a library"),
        directory.Write("empty.so", ""), std::string("libc.so.6")}) {
    auto core = LoadCore(path);
    EXPECT_EQ(core.status().code(), Errc::kConfig);
    EXPECT_NE(core.status().message().find(path), std::string::npos) << core.status().message();
  }
}

}  // namespace
}  // namespace socksify
