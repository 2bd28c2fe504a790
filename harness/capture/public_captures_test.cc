// Reads captures that other projects publish, and compares with what is known of them. They are not
// part of this tree: NETRIG_PUBLIC_CAPTURES names the folder, or ../shared/captures beside the
// source tree.

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <map>
#include <sstream>

#include "harness/capture/capture_reader.h"
#include "harness/capture/stream.h"

namespace netrig {
namespace {

namespace fs = std::filesystem;
using Row = std::map<std::string, std::string>;

fs::path folder() {
  if (const char* named = std::getenv("NETRIG_PUBLIC_CAPTURES")) return named;
  return fs::path(NETRIG_SOURCE_DIR) / ".." / "shared" / "captures";
}

std::vector<std::string> cells_of(const std::string& line) {
  std::vector<std::string> cells;
  std::istringstream in(line);
  for (std::string cell; std::getline(in, cell, '\t');) cells.push_back(cell);
  return cells;
}

std::vector<Row> manifest() {
  std::ifstream in(folder() / "MANIFEST.tsv");
  std::string line;
  std::getline(in, line);
  const std::vector<std::string> names = cells_of(line);
  std::vector<Row> rows;
  while (std::getline(in, line)) {
    const std::vector<std::string> cells = cells_of(line);
    Row row;
    for (size_t i = 0; i < std::min(cells.size(), names.size()); ++i) row[names[i]] = cells[i];
    rows.push_back(row);
  }
  return rows;
}

class PublicCaptures : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!fs::exists(folder() / "MANIFEST.tsv")) {
      GTEST_SKIP() << "no public captures in " << folder();
    }
  }
};

TEST_F(PublicCaptures, HoldAsManyPacketsAsTheManifestSays) {
  size_t compared = 0;
  for (Row& row : manifest()) {
    if (!row["format"].starts_with("pcap")) continue;
    const auto recording = read_capture_file(folder() / row["file"]);
    ASSERT_TRUE(recording) << row["file"] << ": " << recording.error();
    EXPECT_EQ(recording->packets.size() + recording->skipped, std::stoull(row["packets"]))
        << row["file"];
    for (const std::string& note : recording->notes) {
      EXPECT_EQ(note.find("link type"), std::string::npos) << row["file"] << ": " << note;
    }
    ++compared;
  }
  EXPECT_GE(compared, 100U);
}

TEST_F(PublicCaptures, HoldAsManyTcpStreamsAsTheManifestSays) {
  // Its one TCP header is cut off in the options: tshark still counts it, decode_packet gives no
  // header.
  const std::string cut_header = "tcpdump_heapoverflow-tcp_print.pcap";
  for (Row& row : manifest()) {
    if (!row["format"].starts_with("pcap") || row["file"] == cut_header) continue;
    const auto recording = read_capture_file(folder() / row["file"]);
    ASSERT_TRUE(recording);
    EXPECT_EQ(reassemble(*recording).size(), std::stoull(row["tcp_streams"])) << row["file"];
  }
}

TEST_F(PublicCaptures, OfAnotherFormatAreRefusedByName) {
  for (Row& row : manifest()) {
    if (row["format"].starts_with("pcap")) continue;
    const auto recording = read_capture_file(folder() / row["file"]);
    ASSERT_FALSE(recording) << row["file"];
    EXPECT_EQ(recording.error(), "not a capture: starts with 73 6e 6f 6f");  // snoop
  }
}

}  // namespace
}  // namespace netrig
