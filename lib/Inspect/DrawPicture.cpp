//===- DrawPicture.cpp - A picture as text and as SVG ---------------------===//

#include "SparseAttn/Inspect/Picture.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/ErrorHandling.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/raw_ostream.h"
#include <algorithm>

using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::inspection;
using namespace mlir::sparse_attn::mask;

/// `4096 queries x 4096 keys, head 0, 12.4% of the pairs live`.
static std::string describe(const Picture &picture) {
  std::string text;
  llvm::raw_string_ostream os(text);
  os << picture.lengths.nq << " queries x " << picture.lengths.nk
     << " keys, head " << picture.head << ", "
     << llvm::format("%.4g", 100 * picture.density) << "% of the pairs live";
  return text;
}

static llvm::StringRef getLegend(TileState state) {
  switch (state) {
  case TileState::Full:
    return "all live";
  case TileState::Partial:
    return "some live";
  case TileState::Empty:
    return "none live";
  }
  llvm_unreachable("all states handled");
}

//===----------------------------------------------------------------------===//
// Text
//===----------------------------------------------------------------------===//

static char getSymbol(TileState state) {
  switch (state) {
  case TileState::Full:
    return '#';
  case TileState::Partial:
    return '+';
  case TileState::Empty:
    return '.';
  }
  llvm_unreachable("all states handled");
}

/// Parts have letters, capital ones where all pairs are live.
static char getSymbol(TileState state, unsigned part) {
  if (part == 0 || part > 26 || state == TileState::Empty)
    return getSymbol(state);
  return static_cast<char>((state == TileState::Full ? 'A' : 'a') + part - 1);
}

void inspection::printAscii(const Picture &picture, llvm::raw_ostream &os) {
  constexpr int64_t rowTick = 8, columnTick = 16;
  constexpr unsigned margin = 10;
  os << describe(picture) << "\n";
  os << llvm::right_justify("key", margin) << "  ";
  for (int64_t c = 0; c < picture.columns; c += columnTick) {
    std::string label = std::to_string(c * picture.cell);
    // No blanks at the end of the line.
    os << (c + columnTick < picture.columns
               ? llvm::left_justify(label, columnTick)
               : llvm::left_justify(label, 0));
  }
  os << "\n";
  for (int64_t r = 0; r < picture.rows; ++r) {
    std::string label;
    if (r % rowTick == 0)
      label = std::to_string(picture.lengths.firstQuery() + r * picture.cell);
    if (r == 0)
      label = "query " + label;
    os << llvm::right_justify(label, margin) << " |";
    for (int64_t c = 0; c < picture.columns; ++c)
      os << getSymbol(picture.state(r, c), picture.part(r, c));
    os << "|\n";
  }
  os << "one cell = " << picture.cell << " x " << picture.cell << " pairs:";
  for (TileState state :
       {TileState::Full, TileState::Partial, TileState::Empty})
    os << "  " << getSymbol(state) << " " << getLegend(state);
  os << "\n";
  if (picture.partNames.empty())
    return;
  os << "where one part has all of them:";
  for (auto [index, name] : llvm::enumerate(picture.partNames))
    os << "  " << getSymbol(TileState::Full, index + 1)
       << getSymbol(TileState::Partial, index + 1) << " " << name;
  os << "\n";
}

//===----------------------------------------------------------------------===//
// SVG
//===----------------------------------------------------------------------===//

namespace {
/// Pixels.
struct Layout {
  explicit Layout(const Picture &picture)
      : scale(std::max<int64_t>(
            1, 512 / std::max<int64_t>({picture.rows, picture.columns, 1}))),
        width(picture.columns * scale), height(picture.rows * scale) {}

  static constexpr int64_t left = 76, top = 76, bottom = 72, right = 24;
  static constexpr int64_t minWidth = 512;
  int64_t scale, width, height;
  int64_t pageWidth() const { return left + std::max(width, minWidth) + right; }
  int64_t pageHeight() const { return top + height + bottom; }
};
} // namespace

/// `text` as XML character data; what XML cannot hold becomes `?`.
static void printEscaped(llvm::StringRef text, llvm::raw_ostream &os) {
  std::string printable = text.str();
  for (char &c : printable)
    if (!llvm::isPrint(c))
      c = '?';
  llvm::printHTMLEscaped(printable, os);
}

static void printText(llvm::raw_ostream &os, int64_t x, int64_t y,
                      llvm::StringRef anchor, llvm::StringRef text) {
  os << "<text x=\"" << x << "\" y=\"" << y << "\" text-anchor=\"" << anchor
     << "\">";
  printEscaped(text, os);
  os << "</text>\n";
}

/// Colours of parts by turns: of cells whose pairs are all live, and of others.
static constexpr std::pair<llvm::StringRef, llvm::StringRef> kPartColors[] = {
    {"#7a3e00", "#e5b98a"}, {"#1e5c2e", "#9bcfa8"}, {"#5b2a78", "#c8a6dd"}};

/// The class of the cell's rectangle.
static std::string getClass(TileState state, unsigned part) {
  if (state == TileState::Empty)
    return "e";
  std::string name = state == TileState::Full ? "f" : "p";
  if (part > 0)
    name += std::to_string((part - 1) % std::size(kPartColors));
  return name;
}

/// One rectangle for each run of equal, not empty cells in a row.
static void printCells(const Picture &picture, const Layout &layout,
                       llvm::raw_ostream &os) {
  os << "<g shape-rendering=\"crispEdges\" transform=\"translate("
     << Layout::left << " " << Layout::top << ") scale(" << layout.scale
     << ")\">\n";
  os << "<rect class=\"e\" width=\"" << picture.columns << "\" height=\""
     << picture.rows << "\"/>\n";
  for (int64_t r = 0; r < picture.rows; ++r)
    for (int64_t c = 0, end = 0; c < picture.columns; c = end) {
      TileState state = picture.state(r, c);
      std::string cls = getClass(state, picture.part(r, c));
      while (end < picture.columns &&
             getClass(picture.state(r, end), picture.part(r, end)) == cls)
        ++end;
      if (state == TileState::Empty)
        continue;
      os << "<rect class=\"" << cls << "\" x=\"" << c << "\" y=\"" << r
         << "\" width=\"" << end - c << "\" height=\"1\"/>\n";
    }
  os << "</g>\n<rect class=\"b\" x=\"" << Layout::left << "\" y=\""
     << Layout::top << "\" width=\"" << layout.width << "\" height=\""
     << layout.height << "\"/>\n";
}

/// Positions at the quarters of both sides.
static void printAxes(const Picture &picture, const Layout &layout,
                      llvm::raw_ostream &os) {
  for (int64_t quarter = 0; quarter < 4; ++quarter) {
    int64_t c = picture.columns * quarter / 4, r = picture.rows * quarter / 4;
    // Few cells: some quarters coincide.
    if (quarter == 0 || picture.columns >= 4)
      printText(os, Layout::left + c * layout.scale, Layout::top - 8, "start",
                (quarter ? "" : "key ") + std::to_string(c * picture.cell));
    if (quarter == 0 || picture.rows >= 8)
      printText(
          os, Layout::left - 8, Layout::top + r * layout.scale + 10, "end",
          (quarter ? "" : "query ") +
              std::to_string(picture.lengths.firstQuery() + r * picture.cell));
  }
}

static void printLegend(const Picture &picture, const Layout &layout,
                        llvm::raw_ostream &os) {
  int64_t x = Layout::left, y = Layout::top + layout.height + 20;
  auto add = [&](llvm::StringRef cls, llvm::StringRef text) {
    os << "<rect class=\"" << cls << "\" x=\"" << x << "\" y=\"" << y
       << "\" width=\"12\" height=\"12\" stroke=\"#888\"/>\n";
    printText(os, x + 18, y + 10, "start", text);
    // 7 pixels a character at most, at this size.
    x += 42 + 7 * static_cast<int64_t>(text.size());
  };
  for (TileState state :
       {TileState::Full, TileState::Partial, TileState::Empty})
    add(getClass(state, /*part=*/0), getLegend(state));
  x = Layout::left;
  y += 20;
  for (auto [index, name] : llvm::enumerate(picture.partNames))
    add(getClass(TileState::Full, index + 1), name);
}

void inspection::printSvg(const Picture &picture, llvm::StringRef title,
                          llvm::raw_ostream &os) {
  Layout layout(picture);
  os << "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\""
     << layout.pageWidth() << "\" height=\"" << layout.pageHeight()
     << "\" viewBox=\"0 0 " << layout.pageWidth() << " " << layout.pageHeight()
     << "\" font-family=\"sans-serif\" font-size=\"12\" fill=\"#222\">\n";
  os << "<title>";
  printEscaped(title, os);
  os << "</title>\n"
     << "<style>.f{fill:#1f4e79}.p{fill:#8fb8de}.e{fill:#f3f3f0}"
        ".b{fill:none;stroke:#444}";
  if (!picture.partNames.empty())
    for (auto [index, colors] : llvm::enumerate(kPartColors))
      os << ".f" << index << "{fill:" << colors.first << "}.p" << index
         << "{fill:" << colors.second << "}";
  os << "</style>\n"
     << "<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n";

  // What fits the page in a heading; the whole of it is in <title>.
  constexpr size_t maxHeading = 52;
  std::string heading = title.size() > maxHeading
                            ? (title.take_front(maxHeading - 3) + "...").str()
                            : title.str();
  os << "<g font-size=\"15\" font-weight=\"bold\">\n";
  printText(os, Layout::left, 26, "start", heading);
  os << "</g>\n";
  std::string cell = std::to_string(picture.cell);
  printText(os, Layout::left, 46, "start",
            describe(picture) + "; a cell is " + cell + " x " + cell);
  printCells(picture, layout, os);
  printAxes(picture, layout, os);
  printLegend(picture, layout, os);
  os << "</svg>\n";
}
