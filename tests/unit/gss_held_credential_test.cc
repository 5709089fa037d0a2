// Credentials that are held from one session to the next: nobody can tell them from those that the
// library looks for each time.
#include <krb5.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <string>

#include "lib/security/gss_held_credential.h"
#include "tests/unit/gss_pair.h"

namespace socksify {
namespace {

const std::string kTarget = std::string("socks@") + kRealmHost;

// With tickets in a file of their own, at first the realm's.
class HeldCredentialTest : public RealmTest {
 protected:
  void SetUp() override {
    RealmTest::SetUp();
    const char* name = getenv("KRB5CCNAME");
    ASSERT_NE(name, nullptr);
    original_ = std::string(name).substr(sizeof "FILE:" - 1);
    path_ = ::testing::TempDir() + "tickets-" + std::to_string(getpid());
    CopyTickets();
    variable_.emplace("KRB5CCNAME", "FILE:" + path_);
  }
  void TearDown() override { (void)remove(path_.c_str()); }

  void CopyTickets() const {
    std::ifstream from(original_, std::ios::binary);
    std::ofstream(path_, std::ios::binary) << from.rdbuf();
  }

  // Writes those of a service that has a key.
  void BecomeService() const {
    krb5_context context;
    ASSERT_EQ(krb5_init_context(&context), 0);
    krb5_principal client;
    krb5_keytab keytab;
    krb5_ccache cache;
    krb5_creds tickets;
    ASSERT_EQ(krb5_sname_to_principal(context, kRealmHost, "rcmd", KRB5_NT_SRV_HST, &client), 0);
    ASSERT_EQ(krb5_kt_default(context, &keytab), 0);
    ASSERT_EQ(krb5_cc_default(context, &cache), 0);
    ASSERT_EQ(krb5_get_init_creds_keytab(context, &tickets, client, keytab, 0, nullptr, nullptr),
              0);
    ASSERT_EQ(krb5_cc_initialize(context, cache, client), 0);
    ASSERT_EQ(krb5_cc_store_cred(context, cache, &tickets), 0);
    krb5_free_cred_contents(context, &tickets);
    (void)krb5_cc_close(context, cache);
    (void)krb5_kt_close(context, keytab);
    krb5_free_principal(context, client);
    krb5_free_context(context);
  }

  // Who the server takes us for, of a new session.
  static std::string Client() {
    GssPair pair;
    EXPECT_TRUE(pair.Negotiate()) << pair.Errors();
    return pair.server.layer->Summary().client_principal;
  }

  std::string original_, path_;
  std::optional<ScopedVariable> variable_;
};

TEST_F(HeldCredentialTest, IsThereAfterTheFirstSession) {
  EXPECT_EQ(HeldCredential::Find(kTarget), nullptr);
  const std::string client = Client();
  (void)Client();  // the first may have put the service's ticket into the file
  const auto held = HeldCredential::Find(kTarget);
  EXPECT_NE(held, nullptr);
  EXPECT_EQ(Client(), client);
  EXPECT_EQ(HeldCredential::Find(kTarget), held);
}

TEST_F(HeldCredentialTest, TicketsThatAreDestroyedAreNotUsed) {
  (void)Client();
  (void)Client();
  ASSERT_NE(HeldCredential::Find(kTarget), nullptr);
  ASSERT_EQ(remove(path_.c_str()), 0);
  EXPECT_FALSE(NewGssInitiator({.server_host = kRealmHost})->Prepare().ok());
  CopyTickets();
  (void)Client();
}

TEST_F(HeldCredentialTest, AnotherUsersTicketsAreUsedAtOnce) {
  const std::string alice = Client();
  (void)Client();
  BecomeService();
  const std::string service = Client();
  EXPECT_NE(service, alice);
  EXPECT_TRUE(service.starts_with("rcmd/")) << service;
  EXPECT_EQ(Client(), service);
}

TEST_F(HeldCredentialTest, ShortLivedTicketsAreNotHeld) {
  (void)Client();
  HeldCredential::Drop(kTarget);
  HeldCredential::Acquire(kTarget, 1);
  EXPECT_EQ(HeldCredential::Find(kTarget), nullptr);
}

TEST_F(HeldCredentialTest, AForkedChildAcquiresItsOwn) {
  (void)Client();
  (void)Client();
  ASSERT_NE(HeldCredential::Find(kTarget), nullptr);
  const pid_t child = fork();
  if (child == 0) _exit(HeldCredential::Find(kTarget) == nullptr && !Client().empty() ? 0 : 1);
  int status;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_NE(HeldCredential::Find(kTarget), nullptr);
}

}  // namespace
}  // namespace socksify
