// Key derivation and encryption against the octets that RFC 3961, 3962 and 8009 print.
#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "lib/security/krb5_cipher.h"
#include "tests/unit/krb5_octets.h"

namespace socksify {
namespace {

TEST(Krb5VectorsTest, NFold) {  // RFC 3961, appendix A.1
  constexpr struct {
    std::string_view in, out;
  } kVectors[] = {
      {"012345", "be072631276b1955"},
      {"password", "78a07b6caf85fa"},
      {"Rough Consensus, and Running Code", "bb6ed30870b7f0e0"},
      {"password", "59e4a8ca7c0385c3c37b3f6d2000247cb6e6bd5b3e"},
      {"MASSACHVSETTS INSTITVTE OF TECHNOLOGY", "db3b0d8f0b061e603282b308a50841229ad798fab9540c1b"},
      {"Q", "518a54a215a8452a518a54a215a8452a518a54a215"},
      {"ba", "fb25d531ae8974499f52fd92ea9857c4ba24cf297e"},
      {"kerberos", "6b65726265726f73"},
      {"kerberos", "6b65726265726f737b9b5b2b93132b93"},
      {"kerberos", "8372c236344e5f1550cd0747e15d62ca7a5a3bcea4"},
      {"kerberos", "6b65726265726f737b9b5b2b93132b935c9bdcdad95c9899c4cae4dee6d6cae4"},
  };
  for (const auto& vector : kVectors) {
    Bytes out(vector.out.size() / 2);
    NFold(AsBytes(vector.in), out);
    EXPECT_EQ(Hex(out), vector.out) << vector.in;
  }
}

std::string Derived(int enctype, const std::string& base, KeyPurpose purpose) {
  auto key = DeriveKey(*FindKrb5Enctype(enctype), Octets(base), /*usage=*/2, purpose);
  EXPECT_TRUE(key.ok()) << key.status().message();
  return key.ok() ? Hex(key->octets()) : "";
}

TEST(Krb5VectorsTest, DerivationByEncryption) {
  // RFC 3962, appendix B: from PBKDF2("password", "ATHENA.MIT.EDUraeburn", 1) to the key.
  constexpr struct {
    int enctype;
    std::string_view from, to;
  } kVectors[] = {
      {17, "cdedb5281bb2f801565a1122b2563515", "42263c6e89f4fc28b8df68ee09799f15"},
      {18, "cdedb5281bb2f801565a1122b25635150ad1f7a04bb9f3a333ecc0e2e1f70837",
       "fe697b52bc0d3ce14432ba036a92e65bbb52280990a2fa27883998d72af30161"},
  };
  for (const auto& vector : kVectors) {
    auto key = DeriveKeyByEncryption(*FindKrb5Enctype(vector.enctype),
                                     Octets(std::string(vector.from)), AsBytes("kerberos"));
    ASSERT_TRUE(key.ok());
    EXPECT_EQ(Hex(key->octets()), vector.to);
  }
  // Kc, Ke, Ki of these for key usage 2, as MIT Kerberos has them in its own tests.
  const std::string k128 = "42263c6e89f4fc28b8df68ee09799f15";
  const std::string k256 = "fe697b52bc0d3ce14432ba036a92e65bbb52280990a2fa27883998d72af30161";
  EXPECT_EQ(Derived(17, k128, KeyPurpose::kChecksum), "34280a382bc92769b2da2f9ef066854b");
  EXPECT_EQ(Derived(17, k128, KeyPurpose::kEncryption), "5b14fc4e250e14ddf9dccf1af6674f53");
  EXPECT_EQ(Derived(17, k128, KeyPurpose::kIntegrity), "4ed31063621684f09ae8d89991af3e8f");
  EXPECT_EQ(Derived(18, k256, KeyPurpose::kChecksum),
            "bfab388bdcb238e9f9c98d6a878304f04d30c82556375ac507a7a852790f4674");
  EXPECT_EQ(Derived(18, k256, KeyPurpose::kEncryption),
            "c7cfd9cd75fe793a586a542d87e0d1396f1134a104bb1a9190b8c90ada3ddf37");
  EXPECT_EQ(Derived(18, k256, KeyPurpose::kIntegrity),
            "97151b4c76945063e2eb0529dc067d97d7bba90776d8126d91f34f3101aea8ba");
}

TEST(Krb5VectorsTest, DerivationByHmac) {  // RFC 8009, appendix A
  const std::string k128 = "3705d96080c17728a0e800eab6e0d23c";
  const std::string k256 = "6d404d37faf79f9df0d33568d320669800eb4836472ea8a026d16b7182460c52";
  EXPECT_EQ(Derived(19, k128, KeyPurpose::kChecksum), "b31a018a48f54776f403e9a396325dc3");
  EXPECT_EQ(Derived(19, k128, KeyPurpose::kEncryption), "9b197dd1e8c5609d6e67c3e37c62c72e");
  EXPECT_EQ(Derived(19, k128, KeyPurpose::kIntegrity), "9fda0e56ab2d85e1569a688696c26a6c");
  EXPECT_EQ(Derived(20, k256, KeyPurpose::kChecksum),
            "ef5718be86cc84963d8bbb5031e9f5c4ba41f28faf69e73d");
  EXPECT_EQ(Derived(20, k256, KeyPurpose::kEncryption),
            "56ab22bee63d82d7bc5227f6773f8ea7a5eb1c825160c38312980c442e5c7e49");
  EXPECT_EQ(Derived(20, k256, KeyPurpose::kIntegrity),
            "69b16514e3cd8e56b82010d5c73012b622c4d00ffc23ed1f");
}

TEST(Krb5VectorsTest, CiphertextStealing) {  // RFC 3962, appendix B
  const std::string text = "I would like the General Gau's Chicken, please, and wonton soup.";
  constexpr std::string_view kCiphertexts[] = {
      "c6353568f2bf8cb4d8a580362da7ff7f97",
      "fc00783e0efdb2c1d445d4c8eff7ed2297687268d6ecccc0c07b25e25ecfe5",
      "39312523a78662d5be7fcbcc98ebf5a897687268d6ecccc0c07b25e25ecfe584",
      "97687268d6ecccc0c07b25e25ecfe584b3fffd940c16a18c1b5549d2f838029e39312523a78662d5be7fcbcc98eb"
      "f5",
      "97687268d6ecccc0c07b25e25ecfe5849dad8bbb96c4cdc03bc103e1a194bbd839312523a78662d5be7fcbcc98eb"
      "f5a8",
      "97687268d6ecccc0c07b25e25ecfe58439312523a78662d5be7fcbcc98ebf5a84807efe836ee89a526730dbc2f7b"
      "c8409dad8bbb96c4cdc03bc103e1a194bbd8",
  };
  auto cipher = AesCts::New(GNUTLS_CIPHER_AES_128_CBC, AsBytes("chicken teriyaki"));
  ASSERT_TRUE(cipher.ok());
  for (std::string_view ciphertext : kCiphertexts) {
    Bytes octets(text.begin(), text.begin() + static_cast<ptrdiff_t>(ciphertext.size() / 2));
    const Bytes plain = octets;
    const size_t head = octets.size() - AesCts::TailSize(octets.size());
    cipher->Start();
    EXPECT_TRUE(cipher->EncryptBlocks(ByteSpan(octets).first(head)));
    EXPECT_TRUE(cipher->EncryptTail(ByteSpan(octets).subspan(head)));
    EXPECT_EQ(Hex(octets), ciphertext);
    EXPECT_TRUE(cipher->Decrypt(octets));
    EXPECT_EQ(octets, plain);
  }
}

TEST(Krb5VectorsTest, EncryptionWithSha2) {  // RFC 8009, appendix A, but for the empty plaintext
  const std::string k128 = "3705d96080c17728a0e800eab6e0d23c";
  const std::string k256 = "6d404d37faf79f9df0d33568d320669800eb4836472ea8a026d16b7182460c52";
  const struct {
    int enctype;
    std::string base, random, plain, ciphertext;
  } vectors[] = {
      {19, k128, "7bca285e2fd4130fb55b1a5c83bc5b24", "000102030405",
       "84d7f30754ed987bab0bf3506beb09cfb55402cef7e6877ce99e247e52d16ed4421dfdf8976c"},
      {19, k128, "56ab21713ff62c0a1457200f6fa9948f", "000102030405060708090a0b0c0d0e0f",
       "3517d640f50ddc8ad3628722b3569d2ae07493fa8263254080ea65c1008e8fc2"
       "95fb4852e7d83e1e7c48c37eebe6b0d3"},
      {19, k128, "a7a4e29a4728ce10664fb64e49ad3fac", "000102030405060708090a0b0c0d0e0f1011121314",
       "720f73b18d9859cd6ccb4346115cd336c70f58edc0c4437c5573544c31c813bce1e6d072c1"
       "86b39a413c2f92ca9b8334a287ffcbfc"},
      {20, k256, "b80d3251c1f6471494256ffe712d0b9a", "000102030405",
       "4ed7b37c2bcac8f74f23c1cf07e62bc7b75fb3f637b9f559c7f664f69eab7b6092237526ea0d1f61cb20d69d10f"
       "2"},
      {20, k256, "53bf8a0d105265d4e276428624ce5e63", "000102030405060708090a0b0c0d0e0f",
       "bc47ffec7998eb91e8115cf8d19dac4bbbe2e163e87dd37f49beca92027764f68cf51f14d798c2273f35df574d1"
       "f"
       "932e40c4ff255b36a266"},
      {20, k256, "763e65367e864f02f55153c7e3b58af1", "000102030405060708090a0b0c0d0e0f1011121314",
       "40013e2df58e8751957d2878bcd2d6fe101ccfd556cb1eae79db3c3ee86429f2b2a602ac86fef6ecb647d6295fa"
       "e"
       "077a1feb517508d2c16b4192e01f62"},
  };
  for (const auto& vector : vectors) {
    const Krb5Enctype& enctype = *FindKrb5Enctype(vector.enctype);
    auto cipher = MessageCipher::New(enctype, Octets(vector.base), /*usage=*/2);
    ASSERT_TRUE(cipher.ok());
    const Bytes plain = Octets(vector.random + vector.plain);
    Bytes text = plain, tag(enctype.tag_size);
    EXPECT_TRUE(cipher->Encrypt(text, tag.data()));
    EXPECT_EQ(Hex(text) + Hex(tag), vector.ciphertext);
    EXPECT_TRUE(cipher->Decrypt(text, tag));
    EXPECT_EQ(text, plain);
  }
}

TEST(Krb5VectorsTest, ChecksumWithSha2) {  // RFC 8009, appendix A
  const Bytes text = Octets("000102030405060708090a0b0c0d0e0f1011121314");
  const struct {
    int enctype;
    std::string base, tag;
  } vectors[] = {
      {19, "3705d96080c17728a0e800eab6e0d23c", "d78367186643d67b411cba9139fc1dee"},
      {20, "6d404d37faf79f9df0d33568d320669800eb4836472ea8a026d16b7182460c52",
       "45ee791567eefca37f4ac1e0222de80d43c3bfa06699672a"},
  };
  for (const auto& vector : vectors) {
    const Krb5Enctype& enctype = *FindKrb5Enctype(vector.enctype);
    auto checksum = MessageChecksum::New(enctype, Octets(vector.base), /*usage=*/2);
    ASSERT_TRUE(checksum.ok());
    for (size_t cut = 0; cut <= text.size(); cut++) {
      Bytes tag(enctype.tag_size);
      checksum->Add(ByteView(text).first(cut));
      checksum->Add(ByteView(text).subspan(cut));
      EXPECT_TRUE(checksum->Make(tag.data()));
      EXPECT_EQ(Hex(tag), vector.tag);
    }
  }
}

}  // namespace
}  // namespace socksify
