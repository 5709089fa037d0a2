#include "lib/config/loader.h"

#include <gtest/gtest.h>

#include <map>
#include <string>

#include "tests/unit/temporary_file.h"

namespace socksify {
namespace {

using Environment = std::map<std::string, std::string>;

class LoaderTest : public testing::Test {
 protected:
  LoaderTest() {
    // So that no file of the machine's takes part.
    environment_["SOCKSIFY_CONFIG"] = "";
  }

  EnvironmentLookup Lookup() const {
    return [this](const char* name) -> const char* {
      auto found = environment_.find(name);
      return found == environment_.end() ? nullptr : found->second.c_str();
    };
  }

  ConfigLoader Loader() const {
    ConfigLoader loader(Lookup());
    for (const auto& [option, value] : options_) loader.SetOption(*FindSetting(option), value);
    return loader;
  }

  Config Load() {
    ConfigLoader loader = Loader();
    Result<Config> config = loader.Load();
    EXPECT_TRUE(config.ok()) << config.status().message();
    return config.ok() ? *config : Config();
  }

  std::string Error() {
    ConfigLoader loader = Loader();
    Result<Config> config = loader.Load();
    EXPECT_FALSE(config.ok());
    EXPECT_EQ(config.status().code(), Errc::kConfig);
    return config.status().message();
  }

  std::string Origin(const char* option) {
    ConfigLoader loader = Loader();
    EXPECT_TRUE(loader.Load().ok());
    return loader.OriginOf(*FindSetting(option));
  }

  void UseFile(const std::string& text) {
    environment_["SOCKSIFY_CONFIG"] = directory_.Write("config", text);
  }

  TemporaryDirectory directory_;
  Environment environment_;
  std::vector<std::pair<std::string, std::string>> options_;
};

std::string Servers(const Config& config) { return FindSetting("server")->print(config); }

// --- precedence ---

TEST_F(LoaderTest, Defaults) {
  const Config config = Load();
  EXPECT_TRUE(config.servers.empty());
  EXPECT_EQ(config.bypass.ToString(), "localhost,127.0.0.0/8,::1");
  EXPECT_EQ(Origin("timeout"), "default");
}

TEST_F(LoaderTest, EachSourceBeatsTheNext) {
  environment_["ALL_PROXY"] = "socks5h://generic";
  EXPECT_EQ(Servers(Load()), "generic:1080");
  EXPECT_EQ(Origin("server"), "variable ALL_PROXY");
  UseFile("timeout = 3\nserver = file\n");
  EXPECT_EQ(Servers(Load()), "file:1080");
  EXPECT_EQ(Origin("server"), directory_.path() + "/config:2");
  environment_["SOCKSIFY_SERVER"] = "variable";
  EXPECT_EQ(Servers(Load()), "variable:1080");
  EXPECT_EQ(Origin("server"), "variable SOCKSIFY_SERVER");
  options_ = {{"server", "option"}};
  EXPECT_EQ(Servers(Load()), "option:1080");
  EXPECT_EQ(Origin("server"), "option --server");
  EXPECT_EQ(Load().timeout_seconds, 3u);
}

TEST_F(LoaderTest, TheLastOfAnOptionCounts) {
  options_ = {{"timeout", "1"}, {"timeout", "2"}};
  EXPECT_EQ(Load().timeout_seconds, 2u);
}

TEST_F(LoaderTest, AnEmptyBypassBypassesNothing) {
  environment_["NO_PROXY"] = "a.example";
  environment_["SOCKSIFY_BYPASS"] = "";
  EXPECT_TRUE(Load().bypass.empty());
}

TEST_F(LoaderTest, WrongValuesSayWhereTheyStand) {
  environment_["SOCKSIFY_TIMEOUT"] = "soon";
  EXPECT_EQ(Error(), "SOCKSIFY_TIMEOUT: 'soon' is not a number of seconds from 1 to 86400");
  environment_.erase("SOCKSIFY_TIMEOUT");
  options_ = {{"dns", "x"}};
  EXPECT_EQ(Error(), "--dns: 'x' is none of remote, local");
}

// --- the file ---

TEST_F(LoaderTest, FileErrorsNameFileAndLine) {
  const std::string path = directory_.path() + "/config";
  UseFile("# c\nsrever = x\n");
  EXPECT_EQ(Error(), path + ":2: srever is not a setting");
  UseFile("\n\nudp = maybe\n");
  EXPECT_EQ(Error(), path + ":3: udp: 'maybe' is none of relay, block, direct");
  UseFile("config = other\n");
  EXPECT_EQ(Error(), path + ":1: config cannot be set in the file itself");
  UseFile("password = x\n");
  EXPECT_EQ(Error(), path + ":1: password has no place here: use password-file");
  UseFile("what\n");
  EXPECT_EQ(Error(), path + ":1: not a 'key = value' line");
}

TEST_F(LoaderTest, EverySettingCanStandInTheFile) {
  for (const Setting& setting : Settings()) {
    if (setting.option[0] == '\0' || setting.kind == Setting::Kind::kFile) continue;
    UseFile(std::string(setting.option) + " = " + setting.fallback + "\n");
    EXPECT_EQ(Origin(setting.option), directory_.path() + "/config:1");
  }
}

TEST_F(LoaderTest, ANamedFileMustExist) {
  environment_["SOCKSIFY_CONFIG"] = directory_.path() + "/none";
  EXPECT_NE(Error().find("no such configuration file (variable SOCKSIFY_CONFIG)"),
            std::string::npos);
  options_ = {{"config", directory_.path() + "/none too"}};
  EXPECT_NE(Error().find("none too: no such configuration file (option --config)"),
            std::string::npos);
}

TEST_F(LoaderTest, TheOptionNamesTheFileBeforeTheVariable) {
  UseFile("timeout = 1\n");
  options_ = {{"config", directory_.Write("other", "timeout = 2\n")}};
  EXPECT_EQ(Load().timeout_seconds, 2u);
}

TEST_F(LoaderTest, TheUsersFileIsFoundWithoutBeingNamed) {
  environment_.erase("SOCKSIFY_CONFIG");
  directory_.Write("xdg/socksify-gss/config", "timeout = 1\n");
  directory_.Write(".config/socksify-gss/config", "timeout = 2\n");
  environment_["HOME"] = directory_.path();
  EXPECT_EQ(Load().timeout_seconds, 2u);
  environment_["XDG_CONFIG_HOME"] = directory_.path() + "/xdg";
  EXPECT_EQ(Load().timeout_seconds, 1u);
  environment_["XDG_CONFIG_HOME"] = "relative";
  EXPECT_EQ(Load().timeout_seconds, 2u);
}

TEST_F(LoaderTest, PathsBecomeAbsolute) {
  const std::string here = std::filesystem::current_path();
  environment_["HOME"] = "/home/alice";
  UseFile("tls-ca = ~/ca.pem\ntls-key = key.pem\ntls-cert = /cert.pem\n");
  const Config config = Load();
  EXPECT_EQ(config.tls_ca, "/home/alice/ca.pem");
  EXPECT_EQ(config.tls_key, here + "/key.pem");
  EXPECT_EQ(config.tls_cert, "/cert.pem");
  EXPECT_EQ(config.log_file, "");
}

// --- generic variables ---

TEST_F(LoaderTest, GenericServersInTheirOrder) {
  environment_["all_proxy"] = "socks5://d:4";
  EXPECT_EQ(Servers(Load()), "d:4");
  environment_["ALL_PROXY"] = "SOCKS5H://c:3/";
  EXPECT_EQ(Servers(Load()), "c:3");
  environment_["SOCKS_SERVER"] = "b:2";
  EXPECT_EQ(Servers(Load()), "b:2");
  environment_["SOCKS5_SERVER"] = "socks5://[::1]:1";
  EXPECT_EQ(Servers(Load()), "[::1]:1");
}

TEST_F(LoaderTest, OtherProxiesAreNotOurs) {
  for (const char* url : {"", "http://a:1", "https://a", "socks4://a", "a:1"}) {
    environment_["ALL_PROXY"] = url;
    EXPECT_TRUE(Load().servers.empty()) << url;
  }
}

TEST_F(LoaderTest, WrongGenericServersAreErrorsThatQuoteNothing) {
  for (const char* url : {"socks5://", "socks5://u:sesame@", "socks5://u:se/same@h:port",
                          "socks5://u:sesame%@h", "socks5://u:sesame%zz@h", "socks5://h:0",
                          "socks5://u:sesame%00x@h", "socks5://h/path", "socks5://u:ses@ame@h o"}) {
    environment_["ALL_PROXY"] = url;
    const std::string error = Error();
    EXPECT_EQ(error.rfind("ALL_PROXY: ", 0), 0u) << error;
    EXPECT_EQ(error.find("same"), std::string::npos) << error;
    EXPECT_EQ(error.find("ame@"), std::string::npos) << error;
  }
  // And none of our business when the server comes from elsewhere.
  environment_["SOCKSIFY_SERVER"] = "ok";
  EXPECT_EQ(Servers(Load()), "ok:1080");
}

TEST_F(LoaderTest, CredentialsOfTheUrlBelongToItsServer) {
  environment_["ALL_PROXY"] = "socks5h://al%40ice:p%3Aw:x@proxy:99";
  Config config = Load();
  EXPECT_EQ(Servers(config), "proxy:99");
  EXPECT_EQ(config.user, "al@ice");
  EXPECT_EQ(config.password.text(), "p:w:x");
  environment_["SOCKSIFY_USER"] = "bob";  // then the password is not his
  config = Load();
  EXPECT_EQ(config.user, "bob");
  EXPECT_TRUE(config.password.empty());
  environment_.erase("SOCKSIFY_USER");
  environment_["SOCKSIFY_SERVER"] = "elsewhere";
  config = Load();
  EXPECT_EQ(config.user, "");
  EXPECT_TRUE(config.password.empty());
}

TEST_F(LoaderTest, NoProxyAsOtherProgramsUnderstandIt) {
  environment_["no_proxy"] = "lower.example";
  EXPECT_EQ(Load().bypass.ToString(), "lower.example,.lower.example");
  environment_["NO_PROXY"] = "example.com, .corp.example,*.x.example, 10.0.0.0/8,host:80";
  EXPECT_EQ(Load().bypass.ToString(),
            "example.com,.example.com,corp.example,.corp.example,x.example,.x.example,10.0.0.0/8,"
            "host:80,.host:80");
  EXPECT_EQ(Origin("bypass"), "variable NO_PROXY");
  environment_["NO_PROXY"] = "*,192.168.*,???";  // what we cannot follow goes through the server
  EXPECT_EQ(Load().bypass.ToString(), "");
}

// --- passwords ---

TEST_F(LoaderTest, ThePasswordFileIsReadWhenAMethodWantsIt) {
  options_ = {{"password-file", directory_.Write("p", "sesame\n", 0644)}};
  EXPECT_TRUE(Load().password.empty());  // gssapi needs none: not even looked at
  options_.emplace_back("methods", "gssapi,userpass");
  EXPECT_NE(Error().find("chmod 600"), std::string::npos);
  directory_.Write("p", "sesame\n", 0600);
  EXPECT_EQ(Load().password.text(), "sesame");
  options_.back() = {"subauth", "chap"};
  EXPECT_EQ(Load().password.text(), "sesame");
}

TEST_F(LoaderTest, TheStrongerOfPasswordAndFileCounts) {
  const std::string file = directory_.Write("p", "from file\n");
  environment_["SOCKSIFY_METHODS"] = "userpass";
  environment_["SOCKSIFY_PASSWORD"] = "from variable";
  environment_["SOCKSIFY_PASSWORD_FILE"] = file;
  EXPECT_EQ(Load().password.text(), "from variable");
  EXPECT_EQ(Load().password_file, "");
  options_ = {{"password-file", file}};
  EXPECT_EQ(Load().password.text(), "from file");
  options_ = {{"password-file", ""}};
  EXPECT_EQ(Load().password.text(), "from variable");
  options_.clear();
  environment_.erase("SOCKSIFY_PASSWORD_FILE");
  UseFile("password-file = " + file + "\n");
  EXPECT_EQ(Load().password.text(), "from variable");
  environment_["SOCKSIFY_PASSWORD"] = "";
  EXPECT_EQ(Load().password.text(), "from file");
}

TEST_F(LoaderTest, APasswordThatIsTooLongIsNotQuoted) {
  environment_["SOCKSIFY_PASSWORD"] = std::string(256, 's');
  EXPECT_EQ(Error(), "SOCKSIFY_PASSWORD: longer than 255 octets");
}

// --- use ---

TEST_F(LoaderTest, WhatIsMissingIsSaid) {
  auto missing = [this] { return CheckUsable(Load()).message(); };
  EXPECT_NE(missing().find("--server"), std::string::npos);
  environment_["SOCKSIFY_SERVER"] = "proxy";
  EXPECT_EQ(missing(), "");
  environment_["SOCKSIFY_METHODS"] = "userpass";
  EXPECT_NE(missing().find("--user"), std::string::npos);
  environment_["SOCKSIFY_USER"] = "alice";
  EXPECT_NE(missing().find("--password-file"), std::string::npos);
  environment_["SOCKSIFY_PASSWORD"] = "sesame";
  EXPECT_EQ(missing(), "");
}

TEST_F(LoaderTest, ExportedVariablesMakeTheSameConfigWhateverElseThereIs) {
  options_ = {{"server", "a,[::1]:99"},
              {"methods", "none,userpass"},
              {"protection", "selective"},
              {"gss-service", "x"},
              {"gss-delegate", "never"},
              {"gss-nec", "1"},
              {"gss-fast-path", "0"},
              {"tls-ca", "/ca"},
              {"tls-cert", "/cert"},
              {"tls-key", "/key"},
              {"tls-name", "n"},
              {"tls-priority", "P"},
              {"ssl-method", "both"},
              {"ssl-udp-naked", "1"},
              {"subauth", "chap"},
              {"user", "alice"},
              {"bypass", ".b:1,10.0.0.0/8"},
              {"dns", "local"},
              {"udp", "block"},
              {"bind", "1"},
              {"no-children", "1"},
              {"timeout", "7"},
              {"log", "debug"},
              {"log-file", "/log"}};
  environment_["SOCKSIFY_PASSWORD"] = "sesame";
  const Config config = Load();
  options_.clear();
  environment_ = {
      {"ALL_PROXY", "socks5://u:p@other"}, {"NO_PROXY", "x"}, {"HOME", directory_.path()}};
  directory_.Write(".config/socksify-gss/config", "this is wrong\n");
  for (const auto& [name, value] : ExportVariables(config)) environment_[name] = value;
  const Config again = Load();
  for (const Setting& setting : Settings()) {
    if (setting.print == nullptr) continue;
    EXPECT_EQ(setting.print(again), setting.print(config)) << setting.variable;
    EXPECT_NE(setting.print(again), setting.fallback == std::string() ? "-" : setting.fallback);
  }
}

TEST_F(LoaderTest, APasswordFromAFileIsHandedOverAsTheFile) {
  const std::string file = directory_.Write("p", "sesame\n");
  options_ = {{"server", "a"}, {"methods", "userpass"}, {"user", "u"}, {"password-file", file}};
  environment_["SOCKSIFY_PASSWORD"] = "weaker";
  const Config config = Load();
  EXPECT_EQ(config.password.text(), "sesame");
  for (const auto& [name, value] : ExportVariables(config)) {
    EXPECT_EQ(value.find("sesame"), std::string::npos);
    environment_[name] = value;
  }
  EXPECT_EQ(environment_["SOCKSIFY_PASSWORD_FILE"], file);
  options_.clear();
  EXPECT_EQ(Load().password.text(), "sesame");
}

}  // namespace
}  // namespace socksify
