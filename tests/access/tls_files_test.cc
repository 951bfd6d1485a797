#include "access/tls_files.h"

#include <sys/stat.h>

#include "tests/access/access_fixture.h"
#include "tests/access/test_certificates.h"

namespace tidemark {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class TlsFilesTest : public AccessTest {
 protected:
  TlsFilesTest() : server_(Certificate("server", -1, 90)), authority_(Certificate("ca", -1, 900)) {
    Write("cert.pem", server_.certificate);
    Write("key.pem", server_.key, 0400);
    Write("ca.pem", authority_.certificate);
  }
  test::TestCertificate Certificate(const std::string& name, int from_days, int to_days) {
    return test::MakeCertificate(name, clock_.Now() + absl::Hours(24) * from_days,
                                 clock_.Now() + absl::Hours(24) * to_days);
  }
  // As tools do it: a new file in the place of the old one.
  void Write(const std::string& name, const std::string& text, mode_t mode = 0644) {
    std::ofstream(Path("new"), std::ios::binary) << text;
    ASSERT_EQ(chmod(Path("new").c_str(), mode), 0);
    std::filesystem::rename(Path("new"), Path(name));
  }
  absl::Status Problem() { return files_.Read().status(); }

  test::TestCertificate server_;
  test::TestCertificate authority_;
  TlsFiles files_{{Path("cert.pem"), Path("key.pem"), Path("ca.pem")}, clock_};
};

TEST_F(TlsFilesTest, AreReadAsTheyAre) {
  const absl::StatusOr<TlsMaterial> material = files_.Read();
  ASSERT_TRUE(material.ok()) << material.status();
  EXPECT_EQ(material->certificate, server_.certificate);
  EXPECT_EQ(material->key, server_.key);
  EXPECT_EQ(material->client_ca, authority_.certificate);
  EXPECT_EQ(material->expires_at, clock_.Now() + absl::Hours(24) * 90);
  EXPECT_THAT(material->warnings, IsEmpty());
  // A chain, and no client CA.
  Write("cert.pem", server_.certificate + authority_.certificate);
  TlsFiles without({Path("cert.pem"), Path("key.pem"), ""}, clock_);
  EXPECT_TRUE(without.Read().ok());
}

TEST_F(TlsFilesTest, MissingOrOtherFilesAreSaid) {
  struct Case {
    const char* file;
    std::string text;
    const char* problem;
  };
  const Case cases[] = {
      {"cert.pem", "", "there is no certificate in it"},
      {"cert.pem", "nonsense", "there is no certificate in it"},
      {"cert.pem", server_.key, "there is no certificate in it"},
      {"cert.pem", server_.certificate.substr(0, 200), "certificate 1 is damaged"},
      {"cert.pem", server_.certificate + authority_.certificate.substr(0, 200),
       "certificate 2 is damaged"},
      {"cert.pem", authority_.certificate, "the key is not that of the certificate"},
      {"cert.pem", authority_.certificate + server_.certificate,
       "the key is not that of the certificate"},
      {"key.pem", "", "there is no private key in it"},
      {"key.pem", server_.certificate, "there is no private key in it"},
      {"key.pem", server_.key.substr(0, 100), "there is no private key in it"},
      {"key.pem", authority_.key, "the key is not that of the certificate"},
      {"key.pem", server_.encrypted_key, "the key has a passphrase"},
      {"ca.pem", "", "there is no certificate in it"},
  };
  for (const Case& c : cases) {
    const std::string before = FileText(Path(c.file));
    Write(c.file, c.text, 0400);
    const absl::Status problem = Problem();
    EXPECT_TRUE(absl::IsInvalidArgument(problem)) << c.file << problem;
    EXPECT_THAT(std::string(problem.message()), HasSubstr(c.problem)) << c.file;
    EXPECT_THAT(std::string(problem.message()), Not(HasSubstr(server_.key.substr(40, 20))));
    Write(c.file, before, 0400);
    ASSERT_TRUE(Problem().ok()) << Problem();
  }
  for (const char* file : {"cert.pem", "key.pem", "ca.pem"}) {
    std::filesystem::rename(Path(file), Path("away"));
    EXPECT_TRUE(absl::IsNotFound(Problem())) << file;
    EXPECT_THAT(Problem().message(), HasSubstr(Path(file)));
    std::filesystem::rename(Path("away"), Path(file));
  }
  EXPECT_TRUE(
      absl::IsInvalidArgument(TlsFiles({Path("cert.pem"), "", ""}, clock_).Read().status()));
}

TEST_F(TlsFilesTest, KeyThatOthersCanReadIsRefused) {
  for (const mode_t mode : {0404, 0644, 0402, 0401, 0666}) {
    Write("key.pem", server_.key, mode);
    EXPECT_TRUE(absl::IsPermissionDenied(Problem())) << std::oct << mode;
    EXPECT_THAT(Problem().message(), HasSubstr("chmod o-rwx " + Path("key.pem")));
  }
  for (const mode_t mode : {0400, 0600, 0640, 0440}) {  // ssl-cert's group reads it
    Write("key.pem", server_.key, mode);
    EXPECT_TRUE(Problem().ok()) << std::oct << mode << Problem();
  }
}

TEST_F(TlsFilesTest, TermsOfEveryCertificateCount) {
  // Server's and CA's last day, in days from now, and what is said.
  Write("ca.pem", authority_.certificate + Certificate("second", -2, -1).certificate);
  EXPECT_TRUE(absl::IsFailedPrecondition(Problem()));
  EXPECT_THAT(Problem().message(),
              AllOf(HasSubstr(Path("ca.pem")), HasSubstr("CN=second expired")));
  Write("ca.pem", Certificate("later", 1, 2).certificate);
  EXPECT_THAT(Problem().message(), HasSubstr("CN=later is not valid before 2027-01-16T08:00:00Z"));
  Write("ca.pem", Certificate("soon", -1, 13).certificate);
  const absl::StatusOr<TlsMaterial> material = files_.Read();
  ASSERT_TRUE(material.ok()) << material.status();
  EXPECT_THAT(material->warnings, ElementsAre(HasSubstr("CN=soon expires in 13 days")));
  EXPECT_EQ(material->expires_at, clock_.Now() + absl::Hours(24) * 13);
  clock_.Move(absl::Hours(24) * 13);
  EXPECT_TRUE(absl::IsFailedPrecondition(Problem()));
  clock_.Move(-absl::Seconds(1));
  EXPECT_TRUE(Problem().ok());
}

TEST_F(TlsFilesTest, ChangeIsNoticedOnce) {
  EXPECT_TRUE(files_.Changed());  // nothing was read yet
  ASSERT_TRUE(Problem().ok());
  EXPECT_FALSE(files_.Changed());
  for (const char* file : {"cert.pem", "key.pem", "ca.pem"}) {
    Write(file, FileText(Path(file)), 0400);  // the same bytes, another file
    EXPECT_TRUE(files_.Changed()) << file;
    ASSERT_TRUE(Problem().ok()) << Problem();
    EXPECT_FALSE(files_.Changed()) << file;
  }
  std::ofstream(Path("ca.pem"), std::ios::app) << "\n";
  EXPECT_TRUE(files_.Changed());
  ASSERT_TRUE(Problem().ok());
  std::filesystem::remove(Path("key.pem"));
  EXPECT_TRUE(files_.Changed());
  EXPECT_FALSE(Problem().ok());
  EXPECT_FALSE(files_.Changed());  // said once; it is read again when there is another one
  Write("key.pem", server_.key, 0400);
  EXPECT_TRUE(files_.Changed());
  EXPECT_TRUE(Problem().ok());
}

}  // namespace
}  // namespace tidemark
