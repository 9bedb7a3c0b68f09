//! Expands the invalid programs of `tests/ui/derive`, and compares their errors with the ones that rustc prints. This
//! takes less than a second, while the test `ui` compiles each program.

use std::ffi::OsStr;
use std::fs;
use std::ops::Range;
use std::path::Path;

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use syn::{Attribute, Item, LitStr};

use crate::{id_segment, inngest_event, inngest_events};

/// An error that rustc printed, or an error of an expansion.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Found {
    line: usize,
    message: String,
    start: usize,
    end: usize,
}

/// Reads the errors without a code, which are the errors of the derives.
fn printed_errors(stderr: &str) -> Vec<Found> {
    let blocks = stderr.split("\n\n").filter_map(|block| block.strip_prefix("error: "));
    blocks.filter_map(read_block).collect()
}

fn read_block(block: &str) -> Option<Found> {
    let (message, source) = block.split_once("--> ")?;
    let message: Vec<&str> = message.trim_end().lines().map(str::trim).collect();
    let mut position = source.lines().next()?.rsplitn(3, ':');
    let start: usize = position.next()?.parse().ok()?;
    let line = position.next()?.parse().ok()?;
    let carets = source.lines().find(|line| line.contains('^') && !line.contains('#'))?;
    let length = carets.chars().filter(|c| *c == '^').count();
    // rustc shortens long lines.
    let end = if carets.contains("...") { usize::MAX - 1 } else { start + length };
    Some(Found { line, message: message.join("\n"), start, end })
}

/// Returns the errors in an expansion, which begin with `::core::compile_error!`.
fn expansion_errors(expansion: TokenStream) -> Vec<Found> {
    let tokens: Vec<TokenTree> = expansion.into_iter().collect();
    let is = |index: usize, text: &str| {
        tokens.get(index).is_some_and(|token: &TokenTree| token.to_string() == text)
    };
    let indexes =
        (5..tokens.len()).filter(|index| is(index - 1, "compile_error") && is(*index, "!"));
    let errors = indexes.map(|index| {
        let TokenTree::Group(group) = &tokens[index + 1] else {
            panic!("an error is a macro call")
        };
        let message: LitStr = syn::parse2(group.stream()).expect("an error is a string");
        let (start, end) = (tokens[index - 5].span().start(), group.span().end());
        Found {
            line: start.line,
            message: message.value(),
            start: start.column + 1,
            end: end.column + 1,
        }
    });
    errors.collect()
}

fn attributes(item: &mut Item) -> Option<&mut Vec<Attribute>> {
    match item {
        Item::Struct(item) => Some(&mut item.attrs),
        Item::Enum(item) => Some(&mut item.attrs),
        Item::Union(item) => Some(&mut item.attrs),
        _ => None,
    }
}

/// Expands the derives of an item, and returns their errors.
fn derive_errors(mut item: Item) -> Vec<Found> {
    let Some(attributes) = attributes(&mut item) else { return Vec::new() };
    let (derives, others): (Vec<_>, Vec<_>) =
        attributes.drain(..).partition(|attribute| attribute.path().is_ident("derive"));
    *attributes = others;
    let derives: String =
        derives.iter().map(|derive| derive.to_token_stream().to_string()).collect();
    let words = derives.split(|c: char| !c.is_alphanumeric());
    let expansions = words.filter_map(|word| match word {
        "InngestEvent" => Some(inngest_event(item.to_token_stream())),
        "InngestEvents" => Some(inngest_events(item.to_token_stream())),
        "IdSegment" => Some(id_segment(item.to_token_stream())),
        _ => None,
    });
    expansions.flat_map(expansion_errors).collect()
}

/// rustc on a stable toolchain marks a whole literal where the expansion marks a part of it.
fn contains(printed: &Found, found: &Found) -> bool {
    let columns: Range<usize> = printed.start..printed.end + 1;
    printed.line == found.line
        && printed.message == found.message
        && columns.contains(&found.start)
        && columns.contains(&found.end)
}

#[test]
fn the_errors_of_invalid_programs_are_those_that_rustc_prints() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/ui/derive");
    let Ok(entries) = fs::read_dir(&directory) else {
        println!("skipped: a published crate has no `tests/ui`");
        return;
    };
    let paths = entries.map(|entry| entry.expect("the directory is readable").path());
    let mut programs: Vec<_> =
        paths.filter(|path| path.extension() == Some(OsStr::new("rs"))).collect();
    programs.sort();
    assert!(programs.len() > 40, "{} programs", programs.len());
    let mut mistakes = Vec::new();
    for program in programs {
        let name = program.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let source = fs::read_to_string(&program).expect("the program is readable");
        let stderr =
            fs::read_to_string(program.with_extension("stderr")).expect("it has its errors");
        let mut printed = printed_errors(&stderr);
        // A macro of the program makes the items, or syn cannot parse it.
        let Ok(file) = syn::parse_file(&source) else { continue };
        if source.contains("macro_rules!") {
            continue;
        }
        let mut found: Vec<_> = file.items.into_iter().flat_map(derive_errors).collect();
        printed.sort();
        found.sort();
        let equal = printed.len() == found.len()
            && printed.iter().zip(&found).all(|(printed, found)| contains(printed, found));
        if !equal {
            mistakes.push(format!("{name}:\nprinted {printed:#?}\nfound {found:#?}"));
        }
    }
    assert!(mistakes.is_empty(), "{}", mistakes.join("\n"));
}
