// Every way to write a mask that has no meaning, and what is said about it.
//
// RUN: sparse-attn-opt %s -split-input-file -verify-diagnostics

//===----------------------------------------------------------------------===//
// Spelling
//===----------------------------------------------------------------------===//

// expected-error@below {{expected a number of positions or 'unbounded'}}
// expected-error@below {{failed to parse SparseAttn_SlidingWindowAttr parameter 'left'}}
func.func private @f() attributes {m = #sparse_attn.sliding_window<left = wide, right = 0>}

// -----

// A window that names only one end is ambiguous, so both are required.
// expected-error@below {{struct is missing required parameter: right; 'sliding_window' has the parameters 'left', 'right', 'dilation' and 'block'}}
func.func private @f() attributes {m = #sparse_attn.sliding_window<left = 1>}

// -----

// expected-error@below {{duplicate or unknown struct parameter name: width; 'sliding_window' has the parameters 'left', 'right', 'dilation' and 'block'}}
func.func private @f() attributes {m = #sparse_attn.sliding_window<left = 1, right = 1, width = 3>}

// -----

// expected-error@below {{expected one of [both, rows, columns] for which side of a pair must be global, got: diagonal}}
// expected-error@below {{failed to parse SparseAttn_GlobalAttr parameter 'direction'}}
func.func private @f() attributes {m = #sparse_attn.global<first = 1, direction = diagonal>}

// -----

// expected-error@below {{expected integer value}}
func.func private @f() attributes {m = #sparse_attn.global<tokens = [first]>}

// -----

// The members of a combinator are masks.
// expected-error@below {{expected a mask, got 3 : i64}}
func.func private @f() attributes {m = #sparse_attn.union<#sparse_attn.causal, 3>}

// -----

// So is the operand of a complement.
// expected-error@below {{invalid kind of attribute specified}}
// expected-error@below {{failed to parse SparseAttn_ComplementAttr parameter 'operand'}}
func.func private @f() attributes {m = #sparse_attn.complement<3>}

// -----

// What has a mask's name nowhere near its own is answered by all of them.
// expected-error-re@below {{unknown attribute `diagonal` in dialect `sparse_attn`; the masks are 'full', 'causal', 'sliding_window', 'global', 'random', 'chunked', 'document', 'strided', 'prefix', 'periodic_columns', 'periodic_rows', 'union', 'intersection', 'complement', 'longformer', 'bigbird', 'prefix_lm', 'streaming', 'sparse_transformer_strided' and 'sparse_transformer_fixed', other attributes 'segment', 'draw', 'rows', 'part', 'plan' and 'grid'{{$}}}}
func.func private @f() attributes {m = #sparse_attn.diagonal}

// -----

// A misspelling, and one of a name's word.
// expected-error@below {{unknown attribute `casual` in dialect `sparse_attn` (did you mean 'causal'?); the masks are}}
func.func private @f() attributes {m = #sparse_attn.casual}

// -----

// expected-error@below {{unknown attribute `windw` in dialect `sparse_attn` (did you mean 'sliding_window'?); the masks are}}
func.func private @f() attributes {m = #sparse_attn.windw<left = 1, right = 1>}

// -----

// Inside a combinator, too, whatever stands there.
// expected-error@below {{unknown attribute `3` in dialect `sparse_attn`; the masks are}}
func.func private @f() attributes {m = #sparse_attn.union<#sparse_attn<3>>}

// -----

// Unknown parameters: the innermost mask answers, once.
// expected-error-re@below {{duplicate or unknown struct parameter name: strid; 'strided' has the parameter 'stride'{{$}}}}
func.func private @f() attributes {m = #sparse_attn.union<#sparse_attn.strided<strid = 4>>}

// -----

// expected-error@below {{expected '<'; 'strided' has the parameter 'stride'}}
func.func private @f() attributes {m = #sparse_attn.strided}

// -----

// expected-error@below {{expected '>'; 'strided' has the parameter 'stride'}}
func.func private @f() attributes {m = #sparse_attn.strided<stride = 4, stride = 5>}

// -----

// expected-error@below {{expected valid keyword}}
// expected-error@below {{expected a parameter name in struct; 'longformer' has the parameters 'window' and 'global_tokens'}}
func.func private @f() attributes {m = #sparse_attn.longformer<4>}

// -----

// No text behind a mask is dropped.
// expected-error@below {{unexpected text behind `causal`, which has no further parameters}}
func.func private @f() attributes {m = #sparse_attn.causal<window = 3>}

// -----

// expected-error@below {{unexpected text behind `full`, which has no further parameters}}
func.func private @f() attributes {m = #sparse_attn<full 3>}

// -----

//===----------------------------------------------------------------------===//
// Windows
//===----------------------------------------------------------------------===//

// expected-error@below {{'left' must not be negative, got -1; use a smaller window or 'intersection'}}
func.func private @f() attributes {m = #sparse_attn.sliding_window<left = -1, right = 4>}

// -----

// expected-error@below {{'right' must not be negative, got -4; use a smaller window or 'intersection'}}
func.func private @f() attributes {m = #sparse_attn.sliding_window<left = 8, right = -4>}

// -----

// expected-error@below {{'dilation' must be at least 1, got 0}}
func.func private @f() attributes {m = #sparse_attn.sliding_window<left = 1, right = 1, dilation = 0>}

// -----

// expected-error@below {{'block' must be at least 1, got -2}}
func.func private @f() attributes {m = #sparse_attn.sliding_window<left = 1, right = 1, block = -2>}

// -----

// expected-error@below {{'dilation' and 'block' do not combine; write the intersection of two windows}}
func.func private @f() attributes {m = #sparse_attn.sliding_window<left = 1, right = 1, dilation = 2, block = 4>}

// -----

//===----------------------------------------------------------------------===//
// Global positions
//===----------------------------------------------------------------------===//

// expected-error@below {{'first' and 'last' must not be negative, got -1 and 0}}
func.func private @f() attributes {m = #sparse_attn.global<first = -1>}

// -----

// expected-error@below {{'first' and 'last' must not be negative, got 1 and -3}}
func.func private @f() attributes {m = #sparse_attn.global<first = 1, last = -3>}

// -----

// expected-error@below {{'last_block' must not be negative, got -4}}
func.func private @f() attributes {m = #sparse_attn.global<last_block = -4>}

// -----

// expected-error@below {{a global mask needs 'tokens', 'first', 'last', 'last_block' or 'listed'}}
func.func private @f() attributes {m = #sparse_attn.global<direction = rows>}

// -----

// expected-error@below {{a global mask needs 'tokens', 'first', 'last', 'last_block' or 'listed'}}
func.func private @f() attributes {m = #sparse_attn.global<tokens = []>}

// -----

// expected-error@below {{'listed' tokens are all that this mask has; write the union with a 'global' of the others}}
func.func private @f() attributes {m = #sparse_attn.global<listed, first = 3>}

// -----

// expected-error@below {{a global mask needs 'tokens', 'first', 'last', 'last_block' or 'listed'}}
func.func private @f() attributes {m = #sparse_attn.global<>}

// -----

// expected-error@below {{duplicate or unknown struct parameter name: listed; 'global' has the parameters 'tokens', 'first', 'last', 'last_block', 'listed' and 'direction'}}
func.func private @f() attributes {m = #sparse_attn.global<listed, listed>}

// -----

// expected-error@below {{duplicate or unknown struct parameter name: token; 'global' has the parameters}}
func.func private @f() attributes {m = #sparse_attn.global<token = [3]>}

// -----

// expected-error@below {{expected valid keyword}}
// expected-error@below {{expected a parameter name in struct; 'global' has the parameters}}
func.func private @f() attributes {m = #sparse_attn.global<listed, 4>}

// -----

// expected-error@below {{expected '='; 'global' has the parameters}}
func.func private @f() attributes {m = #sparse_attn.global<first, direction = rows>}

// -----

//===----------------------------------------------------------------------===//
// Random blocks
//===----------------------------------------------------------------------===//

// expected-error@below {{'block' must be at least 1, got 0}}
func.func private @f() attributes {m = #sparse_attn.random<block = 0, blocks_per_row = 1>}

// -----

// expected-error@below {{'blocks_per_row' must be at least 1, got 0}}
func.func private @f() attributes {m = #sparse_attn.random<block = 8, blocks_per_row = 0>}

// -----

// expected-error@below {{'blocks_per_row' must be at most 32, got 33: code grows with it; draw fewer or larger blocks}}
func.func private @f() attributes {m = #sparse_attn.random<block = 8, blocks_per_row = 33>}

// -----

// expected-error@below {{'bigbird_radius' must be from 0 to 16, got 17: code grows with it; use larger blocks}}
func.func private @f() attributes {m = #sparse_attn.random<block = 8, blocks_per_row = 32, bigbird_radius = 17>}

// -----

// expected-error@below {{'bigbird_radius' must be from 0 to 16, got -1}}
func.func private @f() attributes {m = #sparse_attn.random<block = 8, blocks_per_row = 1, bigbird_radius = -1>}

// -----

//===----------------------------------------------------------------------===//
// Chunks, strides, prefixes, columns
//===----------------------------------------------------------------------===//

// expected-error@below {{'size' must be at least 1, got 0}}
func.func private @f() attributes {m = #sparse_attn.chunked<size = 0>}

// -----

// expected-error@below {{'stride' must be at least 1, got -8}}
func.func private @f() attributes {m = #sparse_attn.strided<stride = -8>}

// -----

// expected-error@below {{'length' must be at least 1, got 0}}
func.func private @f() attributes {m = #sparse_attn.prefix<length = 0>}

// -----

// expected-error@below {{'period' must be at least 1, got 0}}
func.func private @f() attributes {m = #sparse_attn.periodic_columns<period = 0, last = 1>}

// -----

// expected-error@below {{'last' must be at least 1, got 0}}
func.func private @f() attributes {m = #sparse_attn.periodic_columns<period = 4, last = 0>}

// -----

// expected-error@below {{'last' must be at most the period, got 5 of 4}}
func.func private @f() attributes {m = #sparse_attn.periodic_columns<period = 4, last = 5>}

// -----

// expected-error@below {{'period' must be at least 1, got 0}}
func.func private @f() attributes {m = #sparse_attn.periodic_rows<period = 0, last = 1>}

// -----

// expected-error@below {{'last' must be at most the period, got 5 of 4}}
func.func private @f() attributes {m = #sparse_attn.periodic_rows<period = 4, last = 5>}

// -----

//===----------------------------------------------------------------------===//
// Combinators
//===----------------------------------------------------------------------===//

// expected-error@below {{an empty union has no meaning here; name at least one mask}}
func.func private @f() attributes {m = #sparse_attn.union<>}

// -----

// expected-error@below {{an empty intersection has no meaning here; name at least one mask}}
func.func private @f() attributes {m = #sparse_attn.intersection<>}

// -----

//===----------------------------------------------------------------------===//
// Presets
//===----------------------------------------------------------------------===//

// expected-error@below {{'window' must be at least 0, got -2}}
func.func private @f() attributes {m = #sparse_attn.longformer<window = -2>}

// -----

// expected-error@below {{'window' is the whole width, half to each side, and must be even, got 511}}
func.func private @f() attributes {m = #sparse_attn.longformer<window = 511>}

// -----

// expected-error@below {{'block' must be at least 1, got 0}}
func.func private @f() attributes {m = #sparse_attn.bigbird<block = 0, window_blocks = 3, random_blocks = 3>}

// -----

// expected-error@below {{'window_blocks' must be at least 1, got 0}}
func.func private @f() attributes {m = #sparse_attn.bigbird<block = 64, window_blocks = 0, random_blocks = 3>}

// -----

// expected-error@below {{'random_blocks' must be at most 32, got 33: code grows with it; draw fewer or larger blocks}}
func.func private @f() attributes {m = #sparse_attn.bigbird<block = 64, window_blocks = 3, random_blocks = 33>}

// -----

// expected-error@below {{'window_blocks' must be at most 33 beside random blocks, got 35: code grows with it; use larger blocks}}
func.func private @f() attributes {m = #sparse_attn.bigbird<block = 64, window_blocks = 35, random_blocks = 32>}

// -----

// expected-error@below {{'random_blocks' must be at least 0, got -1}}
func.func private @f() attributes {m = #sparse_attn.bigbird<block = 64, window_blocks = 3, random_blocks = -1>}

// -----

// expected-error@below {{'window_blocks' counts the row's own block and as many on each side, and must be odd, got 4}}
func.func private @f() attributes {m = #sparse_attn.bigbird<block = 64, window_blocks = 4, random_blocks = 3>}

// -----

// expected-error@below {{'length' must be at least 1, got 0}}
func.func private @f() attributes {m = #sparse_attn.prefix_lm<length = 0>}

// -----

// expected-error@below {{'sinks' must be at least 0, got -1}}
func.func private @f() attributes {m = #sparse_attn.streaming<sinks = -1, window = 8>}

// -----

// expected-error@below {{'window' must be at least 1, got 0}}
func.func private @f() attributes {m = #sparse_attn.streaming<sinks = 4, window = 0>}

// -----

// expected-error@below {{'stride' must be at least 1, got 0}}
func.func private @f() attributes {m = #sparse_attn.sparse_transformer_strided<stride = 0>}

// -----

// expected-error@below {{'stride' must be at least 1, got 0}}
func.func private @f() attributes {m = #sparse_attn.sparse_transformer_fixed<stride = 0, columns = 1>}

// -----

// expected-error@below {{'columns' must be at least 1, got 0}}
func.func private @f() attributes {m = #sparse_attn.sparse_transformer_fixed<stride = 8, columns = 0>}

// -----

// expected-error@below {{'columns' must be at most the stride, got 9 of 8}}
func.func private @f() attributes {m = #sparse_attn.sparse_transformer_fixed<stride = 8, columns = 9>}
