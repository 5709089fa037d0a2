// Encryption and checksums beside MIT's own (libk5crypto): every size up to some, random ones
// above, each enctype, both directions.
#include "lib/security/krb5_cipher.h"

#include <gtest/gtest.h>
#include <krb5/krb5.h>

#include "tests/unit/krb5_octets.h"

namespace socksify {
namespace {

constexpr uint32_t kUsage = 24;

// MIT, with the same key.
class Oracle {
 public:
  Oracle(const Krb5Enctype& enctype, Bytes& key) : enctype_(enctype) {
    key_.magic = KV5M_KEYBLOCK;
    key_.enctype = enctype.number;
    key_.length = static_cast<unsigned>(key.size());
    key_.contents = key.data();
    EXPECT_EQ(krb5_init_context(&context_), 0);
  }
  Oracle(const Oracle&) = delete;
  Oracle& operator=(const Oracle&) = delete;
  ~Oracle() { krb5_free_context(context_); }

  // What MIT decrypts ciphertext and tag to; empty if it refuses.
  Bytes Decrypt(const Bytes& text) {
    Bytes plain(text.size());
    krb5_enc_data sealed = {};
    sealed.enctype = key_.enctype;
    sealed.ciphertext = Data(text);
    krb5_data out = Data(plain);
    if (krb5_c_decrypt(context_, &key_, kUsage, nullptr, &sealed, &out) != 0) return {};
    plain.resize(out.length);
    return plain;
  }

  Bytes Encrypt(const Bytes& plain) {
    size_t size = 0;
    EXPECT_EQ(krb5_c_encrypt_length(context_, key_.enctype, plain.size(), &size), 0);
    Bytes text(size);
    krb5_enc_data sealed = {};
    sealed.ciphertext = Data(text);
    const krb5_data in = Data(plain);
    EXPECT_EQ(krb5_c_encrypt(context_, &key_, kUsage, nullptr, &in, &sealed), 0);
    EXPECT_EQ(sealed.ciphertext.length, size);
    return text;
  }

  Bytes Checksum(const Bytes& text) {
    const krb5_data in = Data(text);
    krb5_checksum sum = {};
    EXPECT_EQ(krb5_c_make_checksum(context_, 0, &key_, kUsage, &in, &sum), 0);
    Bytes tag(sum.contents, sum.contents + sum.length);
    krb5_free_checksum_contents(context_, &sum);
    return tag;
  }

 private:
  static krb5_data Data(const Bytes& octets) {
    return {KV5M_DATA, static_cast<unsigned>(octets.size()),
            reinterpret_cast<char*>(const_cast<uint8_t*>(octets.data()))};
  }

  const Krb5Enctype& enctype_;
  krb5_keyblock key_ = {};
  krb5_context context_ = nullptr;
};

class Krb5CipherTest : public ::testing::TestWithParam<int> {
 protected:
  Krb5CipherTest()
      : enctype_(*FindKrb5Enctype(GetParam())),
        dice_(static_cast<uint64_t>(GetParam())),
        key_(dice_.Octets(enctype_.key_size)),
        oracle_(enctype_, key_) {
    for (size_t size = 1; size < 300; size++) sizes_.push_back(size);
    for (int i = 0; i < 200; i++) sizes_.push_back(1 + dice_.UpTo(66000));
  }

  const Krb5Enctype& enctype_;
  Dice dice_;
  Bytes key_;
  Oracle oracle_;
  std::vector<size_t> sizes_;  // of plaintexts
};

TEST_P(Krb5CipherTest, MitDecryptsWhatWeEncrypt) {
  auto cipher = MessageCipher::New(enctype_, key_, kUsage);
  ASSERT_TRUE(cipher.ok());
  for (size_t size : sizes_) {
    const Bytes plain = dice_.Octets(size);
    Bytes text = dice_.Octets(kAesBlockSize);
    Append(text, plain);
    Bytes tag(enctype_.tag_size);
    ASSERT_TRUE(cipher->Encrypt(text, tag.data()));
    Append(text, tag);
    ASSERT_EQ(oracle_.Decrypt(text), plain) << size;
  }
}

TEST_P(Krb5CipherTest, WeDecryptWhatMitEncrypts) {
  auto cipher = MessageCipher::New(enctype_, key_, kUsage);
  ASSERT_TRUE(cipher.ok());
  for (size_t size : sizes_) {
    const Bytes plain = dice_.Octets(size);
    Bytes text = oracle_.Encrypt(plain);
    ASSERT_EQ(text.size(), kAesBlockSize + size + enctype_.tag_size);
    const ByteSpan body = ByteSpan(text).first(text.size() - enctype_.tag_size);
    ASSERT_TRUE(cipher->Decrypt(body, ByteView(text).last(enctype_.tag_size))) << size;
    ASSERT_TRUE(std::ranges::equal(body.subspan(kAesBlockSize), plain)) << size;
  }
}

TEST_P(Krb5CipherTest, ChecksumsAreMits) {
  auto checksum = MessageChecksum::New(enctype_, key_, kUsage);
  ASSERT_TRUE(checksum.ok());
  for (size_t size : sizes_) {
    const Bytes text = dice_.Octets(size);
    const ByteView first = ByteView(text).first(dice_.UpTo(size));
    const auto add = [&] {
      checksum->Add(first);
      checksum->Add(ByteView(text).subspan(first.size()));
    };
    Bytes tag(enctype_.tag_size);
    add();
    ASSERT_TRUE(checksum->Make(tag.data()));
    ASSERT_EQ(tag, oracle_.Checksum(text)) << size;
    add();
    ASSERT_TRUE(checksum->Verify(tag));
    tag[dice_.UpTo(tag.size() - 1)] ^= 1;
    add();
    ASSERT_FALSE(checksum->Verify(tag));
  }
}

// One that fails leaves nothing behind for the next.
TEST_P(Krb5CipherTest, AFailureIsOfItsMessageAlone) {
  auto cipher = MessageCipher::New(enctype_, key_, kUsage);
  ASSERT_TRUE(cipher.ok());
  const Bytes plain = dice_.Octets(100);
  Bytes good = plain, tag(enctype_.tag_size);
  ASSERT_TRUE(cipher->Encrypt(good, tag.data()));
  for (size_t at = 0; at < plain.size() + tag.size(); at++) {
    Bytes text = good, other = tag;
    (at < text.size() ? text[at] : other[at - text.size()]) ^= static_cast<uint8_t>(1 << at % 8);
    EXPECT_FALSE(cipher->Decrypt(text, other)) << at;
    text = good;
    EXPECT_TRUE(cipher->Decrypt(text, tag));
    EXPECT_EQ(text, plain);
  }
}

INSTANTIATE_TEST_SUITE_P(Enctypes, Krb5CipherTest, ::testing::ValuesIn(kFastEnctypes));

}  // namespace
}  // namespace socksify
