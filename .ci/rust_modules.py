"""Reads the modules of a crate, and which file defines what a path in one of them leads to."""

import re
import sys
from collections import defaultdict

import rust_source

USE = re.compile(r"\b(pub(?:\([^)]*\))?\s+)?use\s+([^;#<]+);")
ITEM = re.compile(r"\b(?:struct|enum|union|trait|fn|const(?!\s+fn)|static|type)\s+(?:mut\s+|r#)?(\w+)")
MACRO = re.compile(r"\bmacro_rules!\s*(\w+)")
MODULE = re.compile(r"((?:#\[[^\]]*\]\s*)*)(?:pub(?:\([^)]*\))?\s+)?\bmod\s+(?:r#)?(\w+)\s*([;{])")
PATH = re.compile(r"(?<![\w:.$#])(?:\$crate|(?:r#)?[A-Za-z_]\w*)(?:\s*::\s*(?:r#)?[A-Za-z_]\w*)+")


class Module:
    """A file as a module: the items it defines, its child modules, its `use`s and paths."""

    def __init__(self, file, parent=None):
        self.file, self.parent = file, parent
        text = file.read_text()
        code = rust_source.code(rust_source.without_tests(text))
        body = USE.sub(lambda match: rust_source.blank(match[0]), code)
        outer = rust_source.outermost(body)
        self.items = set(ITEM.findall(outer)) | set(MACRO.findall(outer))
        self.words = set(re.findall(r"\w+", body))
        self.paths = {tuple(re.split(r"\s*::\s*", path)) for path in PATH.findall(body)}
        # Each `use` as (path, bound name, whether it is a re-export). Under two `cfg`s, or in two
        # functions, a name can be bound twice.
        self.uses = [(*use, bool(public)) for public, tree in USE.findall(code) for use in use_tree(tree)]
        self.children = defaultdict(list)
        for match in MODULE.finditer(outer):
            attributes, name = text[slice(*match.span(1))], match[2]
            if match[3] == "{":
                sys.exit(f"{file}: `mod {name}` has a body; move it to a file of its own")
            self.children[name] += [Module(file, self) for file in self.child_files(name, attributes)]

    def child_files(self, name, attributes):
        """The files of `mod name;`: two where a `cfg_attr` chooses between them."""
        folder = self.file.parent
        own = folder if self.file.stem in ("lib", "mod") else folder / self.file.stem
        files = [folder / path for path in re.findall(r'path\s*=\s*"([^"]+)"', attributes)]
        if not files or "cfg_attr" in attributes:
            files += [file for file in (own / f"{name}.rs", own / name / "mod.rs") if file.exists()]
        return files

    def tree(self):
        """This module and all below it."""
        yield self
        for children in self.children.values():
            for child in children:
                yield from child.tree()

    def ancestors(self):
        """The modules above this one, the crate's root last."""
        return [self.parent, *self.parent.ancestors()] if self.parent else []

    def root(self):
        return [self, *self.ancestors()][-1]

    def find(self, name, seen):
        """What `name` means here: items as (defining module, name), modules as (module, None)."""
        found = [(child, None) for child in self.children.get(name, [])]
        if (self, name) in seen:
            # The first name in `use split::split` is the child module.
            return found
        found += [(self, name)] if name in self.items else []
        uses = [path for path, bound, _ in self.uses if bound == name]
        globs = [(*path[:-1], name) for path, bound, _ in self.uses if bound == "*"]
        for path in uses or (globs if not found else []):
            found += self.resolve(path, seen | {(self, name)})
        return found

    def resolve(self, path, seen=frozenset()):
        """What `path` means here, as `find` returns it; nothing if it leads to another crate."""
        first, *rest = path
        if first in ("crate", "$crate"):
            found = [(self.root(), None)]
        elif first == "self":
            found = [(self, None)]
        elif first == "super":
            found = [(self.parent, None)] if self.parent else []
        else:
            found = self.find(first, seen)
        for name in rest:
            modules = [module for module, item in found if item is None]
            if name == "super":
                deeper = [(module.parent, None) for module in modules if module.parent]
            else:
                deeper = [it for module in modules for it in module.find(name, seen)]
            # After an item, a path continues with its variants and associated items.
            found = deeper or [(module, item) for module, item in found if item is not None]
        return found

    def imports(self):
        """The (module, name) of every item that this file takes from another."""
        found = set()
        for path, name, is_public in self.uses:
            if name == "*":
                glob = [it for word in self.words for it in self.resolve((*path[:-1], word))]
                found.update(it for it in glob if it[1] is not None)
                continue
            targets = self.resolve(path)
            if is_public and name not in self.words:
                # A re-export of an item from a module below, which this file itself does not use.
                targets = [it for it in targets if self not in it[0].ancestors()]
            found.update(targets)
        for path in self.paths:
            found.update(self.resolve(path))
        return {(module, name) for module, name in found if name and module.file != self.file}

    def leaves_crate(self, path):
        """Whether a name in `path` is bound by a `use` of another crate."""
        for end in range(1, len(path)):
            for module, _ in self.resolve(path[:end]):
                for used, bound, _ in module.uses:
                    if bound == path[end] and used[0] not in ("crate", "self", "super"):
                        if not module.resolve(used):
                            return True
        return False

    def unresolved(self):
        """The paths to items of this crate that `resolve` does not find."""
        for path in sorted({*self.paths, *(path for path, _, _ in self.uses)}):
            if path[0] in ("crate", "$crate", "self", "super") and path[-1] != "*":
                if not self.resolve(path) and not self.leaves_crate(path):
                    yield "::".join(path)


def use_tree(tree):
    """The (path, name) of each name that a `use` binds."""
    prefix, brace, group = tree.partition("{")
    if brace:
        group, inner, commas = group.rpartition("}")[0], 0, [-1]
        for offset, character in enumerate(group):
            inner += (character == "{") - (character == "}")
            if character == "," and inner == 0:
                commas.append(offset)
        parts = [group[start + 1 : end] for start, end in zip(commas, [*commas[1:], None])]
        return [use for part in parts if part.strip() for use in use_tree(prefix + part)]
    path, _, alias = tree.partition(" as ")
    path = tuple(name.strip() for name in path.split("::"))
    path = path[:-1] if path[-1] == "self" and len(path) > 1 else path
    return [(path, alias.strip() or path[-1])]
