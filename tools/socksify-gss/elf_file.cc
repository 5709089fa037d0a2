#include "tools/socksify-gss/elf_file.h"

#include <elf.h>
#include <fcntl.h>
#include <limits.h>
#include <link.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <string_view>
#include <vector>

namespace socksify {
namespace {

constexpr size_t kHeadSize = 256;  // the kernel's BINPRM_BUF_SIZE: it looks no further for "#!"
constexpr unsigned char kNativeClass = sizeof(void*) == 8 ? ELFCLASS64 : ELFCLASS32;

// The name in PT_INTERP; empty when there is none or the file is cut short.
std::string ReadInterpreter(int fd, const ElfW(Ehdr) & header) {
  if (header.e_phentsize != sizeof(ElfW(Phdr))) return "";
  std::vector<ElfW(Phdr)> segments(header.e_phnum);
  const size_t size = segments.size() * sizeof(ElfW(Phdr));
  if (pread(fd, segments.data(), size, static_cast<off_t>(header.e_phoff)) !=
      static_cast<ssize_t>(size)) {
    return "";
  }
  auto segment = std::ranges::find(segments, static_cast<decltype(ElfW(Phdr)::p_type)>(PT_INTERP),
                                   &ElfW(Phdr)::p_type);
  if (segment == segments.end() || segment->p_filesz == 0 || segment->p_filesz > PATH_MAX)
    return "";
  std::string name(segment->p_filesz, '\0');
  if (pread(fd, name.data(), name.size(), static_cast<off_t>(segment->p_offset)) !=
      static_cast<ssize_t>(name.size())) {
    return "";
  }
  return name.c_str();  // NOLINT: without the NUL that ends it
}

void ParseElf(int fd, std::string_view head, ExecutableHead& executable) {
  if (head.size() < EI_NIDENT) return;  // unknown: no shell script either
  executable.kind = ExecutableHead::Kind::kElf;
  executable.elf_class = static_cast<uint8_t>(head[EI_CLASS]);
  executable.byte_order = static_cast<uint8_t>(head[EI_DATA]);
  ElfW(Ehdr) header;
  if (head.size() < sizeof header) return;
  memcpy(&header, head.data(), sizeof header);
  executable.machine = header.e_machine;  // same place in both classes
  if (executable.elf_class == kNativeClass) executable.interpreter = ReadInterpreter(fd, header);
}

// "#!" blanks INTERPRETER [blanks ARGUMENT]
void ParseScript(std::string_view head, ExecutableHead& executable) {
  constexpr std::string_view kBlanks = " \t";
  executable.kind = ExecutableHead::Kind::kScript;
  std::string_view line = head.substr(2, head.find_first_of(std::string_view("\n\0", 2)) - 2);
  line.remove_prefix(std::min(line.find_first_not_of(kBlanks), line.size()));
  line = line.substr(0, line.find_last_not_of(kBlanks) + 1);
  const size_t end = std::min(line.find_first_of(kBlanks), line.size());
  executable.script_interpreter = line.substr(0, end);
  line.remove_prefix(end);
  line.remove_prefix(std::min(line.find_first_not_of(kBlanks), line.size()));
  executable.script_argument = line;
}

}  // namespace

std::optional<ExecutableHead> ReadExecutableHead(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
  if (fd < 0) return std::nullopt;
  char octets[kHeadSize];
  const ssize_t count = read(fd, octets, sizeof octets);
  std::optional<ExecutableHead> found;
  if (count >= 0) {
    std::string_view head(octets, static_cast<size_t>(count));
    ExecutableHead& executable = found.emplace();
    if (head.starts_with(std::string_view(ELFMAG, SELFMAG))) {
      ParseElf(fd, head, executable);
    } else if (head.starts_with("#!")) {
      ParseScript(head, executable);
    } else if (head.substr(0, head.find('\n')).find('\0') == std::string_view::npos) {
      executable.kind = ExecutableHead::Kind::kText;
    }
  }
  close(fd);
  return found;
}

}  // namespace socksify
