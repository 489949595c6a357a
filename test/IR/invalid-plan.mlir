// Plans that say nothing, or say it wrongly. Whether a well-formed plan is
// right for its mask is what --sparse-attn-prove-plan answers.
//
// RUN: sparse-attn-opt %s -split-input-file -verify-diagnostics

// expected-error@below {{tile sizes must be from 1 to 65536, got [0, 64]}}
func.func private @f() attributes {p = #sparse_attn.plan<tile = [0, 64], rows = [<"0" to "nq">]>}

// -----

// expected-error@below {{tile sizes must be from 1 to 65536, got [48, -1]}}
func.func private @f() attributes {p = #sparse_attn.plan<tile = [48, -1], rows = [<"0" to "nq">]>}

// -----

// expected-error@below {{tile sizes must be from 1 to 65536, got [65537, 64]}}
func.func private @f() attributes {p = #sparse_attn.plan<tile = [65537, 64], rows = [<"0" to "nq">]>}

// -----

// expected-error@below {{offset_multiple must be from 0 to 1073741824, got -1}}
func.func private @f() attributes {p = #sparse_attn.plan<tile = [16, 16], offset_multiple = -1, rows = [<"0" to "nq">]>}

// -----

// expected-error@below {{keys_multiple must be from 1 to 1073741824, got 0}}
func.func private @f() attributes {p = #sparse_attn.plan<tile = [16, 16], keys_multiple = 0, rows = [<"0" to "nq">]>}

// -----

// A list of classes has at least one.
// expected-error@below {{a plan needs at least one class of rows}}
func.func private @f() attributes {p = #sparse_attn.plan<tile = [48, 64], rows = []>}

// -----

// Rows are divided into query tiles, of index q, once their bounds are known.
// expected-error@below {{bound "min(nq, q * 16)" of rows depends on q, the tile of rows that it is to bound}}
func.func private @f() attributes {p = #sparse_attn.rows<"0" to "min(nq, q * 16)">}

// -----

// A bound is an expression of q, nq and nk.
// expected-error@below {{invalid bound "n": unexpected 'n'}}
func.func private @f() attributes {p = #sparse_attn.rows<"0" to "n">}

// -----

// expected-error@below {{invalid bound "": unexpected end of expression}}
func.func private @f() attributes {p = #sparse_attn.rows<"" to "nq">}

// -----

// expected-error@below {{invalid bound "q floordiv 0": a divisor must be a positive constant}}
func.func private @f() attributes {p = #sparse_attn.segment<full "q floordiv 0" to "nk">}

// -----

// expected-error@below {{invalid bound "q * nk": one factor of a product must be constant}}
func.func private @f() attributes {p = #sparse_attn.segment<full "0" to "q * nk">}

// -----

// expected-error@below {{invalid bound "min(q": expected ',' in min or max}}
func.func private @f() attributes {p = #sparse_attn.draw<partial <block = 8, blocks_per_row = 1> "0" to "min(q">}

// -----

// expected-error@below {{invalid condition "q - 3": expected 'x > 0'}}
func.func private @f() attributes {p = #sparse_attn.segment<full "0" to "nk" when "q - 3">}

// -----

// expected-error@below {{invalid condition "q > 1": expected 'x > 0'}}
func.func private @f() attributes {p = #sparse_attn.segment<full "0" to "nk" when "q > 1">}

// -----

// expected-error@below {{invalid condition "min(q, n)": unexpected 'n)'}}
func.func private @f() attributes {p = #sparse_attn.segment<full "0" to "nk" when "min(q, n) > 0">}

// -----

// expected-error@below {{expected one of [partial, full] for whether the tiles of a segment or a draw need the mask, got: empty}}
// expected-error@below {{failed to parse SparseAttn_SegmentAttr parameter 'kind'}}
func.func private @f() attributes {p = #sparse_attn.segment<empty "0" to "nk">}

// -----

// expected-error@below {{duplicate or unknown struct parameter name: light}}
func.func private @f() attributes {p = #sparse_attn.rows<"0" to "nq", light = true>}

// -----

// The random mask inside a draw is verified too.
// expected-error@below {{'block' must be at least 1, got 0}}
// expected-error@below {{failed to parse SparseAttn_DrawAttr parameter 'random'}}
func.func private @f() attributes {p = #sparse_attn.draw<partial <block = 0, blocks_per_row = 1> "0" to "nk">}

// -----

// expected-error@below {{invalid pairs "j > 3": expected '>=', '<' or 'mod'}}
func.func private @f() attributes {p = #sparse_attn.segment<partial "0" to "nk" where "j > 3">}

// -----

// expected-error@below {{a full segment has no masked pair, so that 'where' says nothing}}
func.func private @f() attributes {p = #sparse_attn.segment<full "0" to "nk" where "j < nk">}

// -----

// expected-error@below {{a segment within documents or listed tokens has contiguous tiles, and no layout}}
func.func private @f() attributes {p = #sparse_attn.segment<full "0" to "nk" of list<[5, 77], width = 1, tile = 16> within documents>}

// -----

// expected-error@below {{expected 'documents' or 'listed'}}
func.func private @f() attributes {p = #sparse_attn.segment<full "0" to "nk" within windows>}

// -----

// expected-error@below {{expected 'listed'}}
func.func private @f() attributes {p = #sparse_attn.segment<full "0" to "nk" within documents or windows>}

// -----

// expected-error@below {{a tile with a listed token has other rows and keys, too, so that it is not full}}
func.func private @f() attributes {p = #sparse_attn.segment<full "0" to "nk" within documents and listed>}

// -----

// expected-error@below {{which tokens are listed is not known before, so that 'where' does not tell the pairs}}
func.func private @f() attributes {p = #sparse_attn.segment<partial "0" to "nk" within listed columns where "j < nk">}

// -----

// Layouts of key tiles.
// expected-error@below {{unknown layout 'latice'; use lattice or list}}
func.func private @f() attributes {p = #sparse_attn.segment<full "0" to "nk" of latice<step = 8>>}

// -----

// expected-error@below {{the step of a lattice must be from 1 to 1073741824, got 0}}
func.func private @f() attributes {p = #sparse_attn.segment<full "0" to "nk" of lattice<step = 0, width = 1, shift = 0, tile = 16>>}

// -----

// expected-error@below {{runs of width 9 overlap at a step of 8; a width is at most the step}}
func.func private @f() attributes {p = #sparse_attn.segment<full "0" to "nk" of lattice<step = 8, width = 9, shift = 0, tile = 16>>}

// -----

// expected-error@below {{the width of runs must be from 1 to 1073741824, got 0}}
func.func private @f() attributes {p = #sparse_attn.segment<full "0" to "nk" of lattice<step = 8, width = 0, shift = 0, tile = 16>>}

// -----

// expected-error@below {{the shift of a lattice must be from 0 to 1073741824, got -1}}
func.func private @f() attributes {p = #sparse_attn.segment<full "0" to "nk" of lattice<step = 8, width = 1, shift = -1, tile = 16>>}

// -----

// expected-error@below {{the tile of a layout must be from 1 to 65536, got 0}}
func.func private @f() attributes {p = #sparse_attn.segment<full "0" to "nk" of lattice<step = 8, width = 1, shift = 0, tile = 0>>}

// -----

// expected-error@below {{a list needs at least one position}}
func.func private @f() attributes {p = #sparse_attn.segment<full "0" to "1" of list<[], width = 1, tile = 16>>}

// -----

// expected-error@below {{entry 1 of a list, 5, is less than the run of width 1 at 77; a list is sorted, and its runs do not overlap}}
func.func private @f() attributes {p = #sparse_attn.segment<full "0" to "1" of list<[77, 5], width = 1, tile = 16>>}

// -----

// expected-error@below {{entry 2 of a list, 19, overlaps the run of width 4 at 16; a list is sorted, and its runs do not overlap}}
func.func private @f() attributes {p = #sparse_attn.segment<full "0" to "1" of list<[5, 16, 19], width = 4, tile = 16>>}

// -----

// expected-error@below {{entry 0 of a list must be from 0 to 1073741824, got -3}}
func.func private @f() attributes {p = #sparse_attn.segment<full "0" to "1" of list<[-3], width = 1, tile = 16>>}

// -----

// expected-error@below {{a list has at most 65536 positions, got 2 runs of width 40000}}
func.func private @f() attributes {p = #sparse_attn.segment<full "0" to "1" of list<[0, 40000], width = 40000, tile = 16>>}

// -----

// expected-error@below {{rows that stand in a layout draw no blocks, as these are drawn for neighbouring rows}}
func.func private @f() attributes {p = #sparse_attn.rows<"0" to "1" of list<[5], width = 1, tile = 16>, draws = [<partial <block = 4, blocks_per_row = 1> "0" to "nk">]>}

// -----

// expected-error@below {{the tile of a layout must be from 1 to 65536, got 0}}
func.func private @f() attributes {p = #sparse_attn.rows<"0" to "1" of list<[5], width = 1, tile = 0>>}

// -----

// expected-error@below {{the step of a lattice must be from 1 to 1073741824, got 0}}
func.func private @f() attributes {p = #sparse_attn.rows<"0" to "1" of lattice<step = 0, width = 1, shift = 0, tile = 16>>}

// -----

// expected-error@below {{entry 1 of a list, 5, overlaps the run of width 2 at 4; a list is sorted, and its runs do not overlap}}
func.func private @f() attributes {p = #sparse_attn.rows<"0" to "1" of list<[4, 5], width = 2, tile = 16>>}

// -----

// expected-error@below {{entry 1 of a list, 3, is less than the run of width 1 at 4; a list is sorted, and its runs do not overlap}}
func.func private @f() attributes {p = #sparse_attn.rows<"0" to "1" of list<[4, 3], width = 1, tile = 16>>}

// -----

// expected-error@below {{entry 0 of a list must be from 0 to 1073741824, got -1}}
func.func private @f() attributes {p = #sparse_attn.rows<"0" to "1" of list<[-1], width = 1, tile = 16>>}

// -----

// expected-error@below {{bound "q" of rows depends on q, the tile of rows that it is to bound}}
func.func private @f() attributes {p = #sparse_attn.rows<"0" to "q" of list<[4, 9], width = 1, tile = 16>>}

// -----

// Parts of plans.
// expected-error@below {{the step of a part must be from 1 to 1073741824, got 0}}
func.func private @f() attributes {p = #sparse_attn.plan<parts = [
  <step = 0, pairs = "j < i", tile = [16, 16], rows = [<"0" to "nq">]>]>}

// -----

// expected-error@below {{tile sizes must be from 1 to 65536, got [0, 16]}}
func.func private @f() attributes {p = #sparse_attn.plan<parts = [
  <step = 2, pairs = "j < i", tile = [0, 16], rows = [<"0" to "nq">]>]>}

// -----

// expected-error@below {{a folded part must have one class, of all rows, that is not heavy; give other classes to a last part without a step}}
func.func private @f() attributes {p = #sparse_attn.plan<parts = [
  <step = 2, pairs = "j < i", tile = [16, 16], rows = [<"0" to "nq">, <"0" to "1">]>]>}

// -----

// expected-error@below {{a part before the last must have one class, of all rows, that is not heavy; give other classes to a last part without a step}}
func.func private @f() attributes {p = #sparse_attn.plan<parts = [
  <pairs = "j < i", tile = [16, 16], rows = [<"0" to "nq", heavy = true>]>,
  <step = 2, pairs = "j >= i", tile = [16, 16], rows = [<"0" to "nq">]>]>}

// -----

// expected-error@below {{draws have no place in a part: their pairs have no closed form; give the plan one class for all of its pairs}}
func.func private @f() attributes {p = #sparse_attn.plan<parts = [
  <pairs = "j < i", tile = [16, 16], rows = [<"0" to "nq", draws = [<partial <block = 64, blocks_per_row = 3> "0" to "nk">]>]>]>}

// -----

// expected-error@below {{the keys of a folded part stand one after the other, step by step; leave out the layouts of its segments}}
func.func private @f() attributes {p = #sparse_attn.plan<parts = [
  <step = 2, pairs = "j < i", tile = [16, 16], rows = [<"0" to "nq", segments = [
    <full "0" to "1" of lattice<step = 8, width = 1, shift = 0, tile = 16>>]>]>]>}

// -----

// expected-error@below {{expected 'parts'}}
func.func private @f() attributes {p = #sparse_attn.plan<rows = []>}

// -----

// expected-error@below {{the first class of a part must have all rows, from 0 on; begin others behind it}}
func.func private @f() attributes {p = #sparse_attn.plan<parts = [
  <pairs = "j < i", tile = [16, 16], rows = [<"1" to "nq">]>]>}

// -----

// expected-error@below {{the rows of a part stand one after the other; give rows in layouts a plan without parts}}
func.func private @f() attributes {p = #sparse_attn.plan<parts = [
  <pairs = "j < i", tile = [16, 16], rows = [<"0" to "nq">, <"0" to "2" of list<[4, 9], width = 1, tile = 16>>]>]>}

// -----

// expected-error@below {{a plan with few_blocks splits all rows along the keys, so that each class must be heavy}}
func.func private @f() attributes {p = #sparse_attn.plan<tile = [16, 64], few_blocks = true, rows = [<"0" to "nq", heavy = true>, <"0" to "1">]>}

// -----

// expected-error@below {{heads of a tile must be from 1 to 65536, got 0}}
func.func private @f() attributes {p = #sparse_attn.plan<tile = [1, 64], heads = 0, rows = [<"0" to "nq">]>}

// -----

// expected-error@below {{a tile of several heads has one row of each, these are neighbours, and it visits neither drawn tiles nor those of a table}}
func.func private @f() attributes {p = #sparse_attn.plan<tile = [16, 64], heads = 4, rows = [<"0" to "nq">]>}

// -----

// expected-error@below {{a tile of several heads has one row of each, these are neighbours, and it visits neither drawn tiles nor those of a table}}
func.func private @f() attributes {p = #sparse_attn.plan<tile = [1, 64], heads = 4, rows = [<"0" to "nq", draws = [<partial <block = 64, blocks_per_row = 3> "0" to "1">]>]>}

// -----

// expected-error@below {{tables have no place in a part; give the plan one class for all of its pairs}}
func.func private @f() attributes {p = #sparse_attn.plan<parts = [
  <pairs = "j < i", tile = [16, 16], rows = [<"0" to "16", table = [<0 to 16>]>]>]>}

// -----

// A table lists query tiles that follow each other, and key tiles that have no key in common.
// expected-error@below {{query tile 1 of a table begins at row 17, and the one before ends at row 16; query tiles follow each other}}
func.func private @f() attributes {p = #sparse_attn.plan<tile = [16, 16], rows = [<"0" to "32", table = [<0 to 16>, <17 to 32>]>]>}

// -----

// expected-error@below {{query tile 0 of a table has rows 0 to 17, which are 17; a tile has 16}}
func.func private @f() attributes {p = #sparse_attn.plan<tile = [16, 16], rows = [<"0" to "17", table = [<0 to 17>]>]>}

// -----

// expected-error@below {{entry 1 of a list of query tile 0, 0, is not behind 16; key tiles are sorted}}
func.func private @f() attributes {p = #sparse_attn.plan<tile = [16, 16], rows = [<"0" to "16", table = [<0 to 16, full = [16, 0]>]>]>}

// -----

// expected-error@below {{entry 0 of a list of query tile 0 must be from 0 to 1073741824, got -1}}
func.func private @f() attributes {p = #sparse_attn.plan<tile = [16, 16], rows = [<"0" to "16", table = [<0 to 16, partial = [-1]>]>]>}

// -----

// expected-error@below {{key tiles 0 and 8 of query tile 0 overlap; each has 16 keys}}
func.func private @f() attributes {p = #sparse_attn.plan<tile = [16, 16], rows = [<"0" to "16", table = [<0 to 16, partial = [0], full = [8]>]>]>}

// -----

// expected-error@below {{a table needs at least one query tile}}
func.func private @f() attributes {p = #sparse_attn.rows<"0" to "16", table = []>}

// -----

// expected-error@below {{rows "0" to "nq" have a table of the rows 0 to 16; they are to be the same}}
func.func private @f() attributes {p = #sparse_attn.rows<"0" to "nq", table = [<0 to 16>]>}

// -----

// expected-error@below {{rows with a table have all their tiles from it, and no layout, 'heavy', 'segments' or 'draws'}}
func.func private @f() attributes {p = #sparse_attn.rows<"0" to "16", heavy = true, table = [<0 to 16>]>}
