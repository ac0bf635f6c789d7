// What can be asked of a story's words, and which key means what.

import assert from "node:assert/strict";
import { test } from "node:test";

import {
  MdFilm, MdKeys, MdParts, mdAhead, mdBehind, mdDelay, mdDifferences, mdExcerpt, mdGlob,
  mdMatches, mdNextOf, mdReadAsOne, mdStops, mdWords,
} from "./story.mjs";

const frame = (i, part, more = {}) => ({ i, part, k: "some.kind", say: [`step ${i}`], ...more });

function story(...parts) {
  const film = new MdFilm({ views: [] });
  film.add(1, parts.map((part, n) => frame(n + 1, part, part === parts[n - 1] ? {} : { head: `head ${part}` })));
  const known = new MdParts(film);
  known.grow();
  return known;
}

test("a part has a heading and a first step", () => {
  const parts = story("a", "a", "b", "a");
  assert.deepEqual(parts.list, [
    { start: 1, head: "head a" }, { start: 3, head: "head b" }, { start: 4, head: "head a" },
  ]);
  assert.equal(parts.at(0), null);
  assert.equal(parts.at(2).start, 1);
  assert.equal(parts.at(4).start, 4);
});

test("a part on is to the end of the part ahead, as in the terminal", () => {
  const parts = story("a", "a", "b", "b", "c");
  assert.deepEqual([0, 1, 2, 3, 4, 5].map((i) => parts.endAfter(i)), [2, 2, 4, 4, 5, 5]);
});

test("a part back is to before this part", () => {
  const parts = story("a", "a", "b", "b", "c");
  assert.deepEqual([0, 1, 2, 3, 4, 5].map((i) => parts.startBefore(i)), [0, 0, 0, 2, 2, 4]);
});

function grouped(...joins) {
  const film = new MdFilm({ views: [] });
  film.add(1, joins.map((g, n) => frame(n + 1, "a", g ? { g } : {})));
  return film;
}

test("steps that join the one before are a group", () => {
  const film = grouped(0, 0, 1, 1, 0);
  assert.deepEqual([1, 2, 3, 4, 5].map((i) => mdReadAsOne(film, i).first), [1, 2, 2, 2, 5]);
  assert.deepEqual([1, 2, 3, 4, 5].map((i) => mdReadAsOne(film, i).last), [1, 4, 4, 4, 5]);
});

test("at the first depth one goes from group to group, deeper from step to step", () => {
  const film = grouped(0, 0, 1, 1, 0);
  const never = () => false;
  assert.deepEqual([0, 1, 2, 3, 4].map((i) => mdAhead(film, i, 1, never)), [1, 4, 4, 4, 5]);
  assert.deepEqual([5, 4, 3, 2, 1].map((i) => mdBehind(film, i, 1)), [4, 1, 1, 1, 0]);
  assert.deepEqual([0, 1, 2, 3, 4].map((i) => mdAhead(film, i, 2, never)), [1, 2, 3, 4, 5]);
  assert.deepEqual([5, 4, 3, 2, 1].map((i) => mdBehind(film, i, 3)), [4, 3, 2, 1, 0]);
});

test("a stop within a group is not passed over", () => {
  const film = grouped(0, 0, 1, 1, 0);
  assert.equal(mdAhead(film, 1, 1, ({ i }) => i === 3), 3);
});

test("a search looks at what is shown, the kind and the command, in any case", () => {
  const film = new MdFilm({ views: [] });
  film.add(1, [
    frame(1, "a", { say: ["A tree", "because", "mount(2)"] }),
    frame(2, "a", { k: "mount.made" }), frame(3, "a", { linux: "MOUNT -t proc" }), frame(4, "a"),
  ]);
  assert.deepEqual(mdMatches(film, " Mount ", 1), [2, 3]);
  assert.deepEqual(mdMatches(film, " Mount ", 3), [1, 2, 3]);
  assert.deepEqual(mdMatches(film, "  ", 1), []);
  assert.deepEqual(mdMatches(film, "([", 1), []);
});

test("what no step shows at this depth is looked for at the others", () => {
  const film = new MdFilm({ views: [] });
  film.add(1, [frame(1, "a", { say: ["A tree", "because", "mount(2)"] }), frame(2, "a")]);
  assert.deepEqual(mdMatches(film, "mount", 1), [1]);
  assert.deepEqual(mdMatches(film, "BECAUSE", 3), [1]);
});

test("the next match lies around the end as well", () => {
  assert.equal(mdNextOf([2, 5], 2, 1), 5);
  assert.equal(mdNextOf([2, 5], 5, 1), 2);
  assert.equal(mdNextOf([2, 5], 2, -1), 5);
  assert.equal(mdNextOf([2, 5], 4, -1), 2);
  assert.equal(mdNextOf([], 4, 1), null);
});

test("a kind to stop at may have stars, and what follows it is for the engine alone", () => {
  assert.ok(mdStops("mount.*", { k: "mount.made" }));
  assert.ok(mdStops("mounted path=/etc", { k: "mounted" }));
  assert.ok(!mdStops("mount", { k: "mount.made" }));
  assert.ok(!mdGlob("a.b", "axb"));
  assert.ok(mdGlob("*", "anything\nat all"));
});

test("a pattern of many stars takes no longer", () => {
  const before = performance.now();
  mdGlob(`${"*a".repeat(12)}b`, "a".repeat(60));
  assert.ok(performance.now() - before < 500);
});

test("words are filled in, and what is not known stays as it is", () => {
  const say = mdWords({ position: "step {i} of {n}", odd: "{toString}" });
  assert.equal(say("position", { i: 1, n: 2 }), "step 1 of 2");
  assert.equal(say("position", { i: 1 }), "step 1 of {n}");
  assert.equal(say("missing"), "missing");
});

test("a key press means what the table says, and letters can be switched off", () => {
  const keys = new MdKeys([
    { names: ["ArrowRight"], shown: "→", action: "next", says: "" },
    { names: ["Shift+ArrowRight"], shown: "⇧→", action: "next-span", says: "" },
    { names: ["?"], shown: "?", action: "help", says: "" },
    { names: [" "], shown: "Space", action: "play", says: "" },
    { names: ["q"], shown: "q", action: "quit", says: "", only_in: "terminal" },
  ]);
  const press = (key, shiftKey = false) => keys.actionOf({ key, shiftKey });
  assert.equal(press("ArrowRight"), "next");
  assert.equal(press("ArrowRight", true), "next-span");
  assert.equal(press("?", true), "help");
  assert.equal(press("q"), null);
  assert.equal(press("constructor"), null);
  keys.hasLetters = false;
  assert.equal(press("?", true), null);
  assert.equal(press(" "), "play");
  assert.equal(press("ArrowRight"), "next");
});

test("as recorded is never slower than five seconds, nor faster than a screen", () => {
  assert.equal(mdDelay("2", 0), 400);
  assert.equal(mdDelay("recorded", 0.5), 500);
  assert.equal(mdDelay("recorded", 60), 5000);
  assert.equal(mdDelay("recorded", 0), 16);
});

test("the lens finds the window that holds a line, and shows forty lines of it at most", () => {
  const long = Array.from({ length: 99 }, (_, n) => `line ${n + 101}`).join("\n");
  const sources = { "a.py": [[1, "one\ntwo"], [101, long]] };
  assert.deepEqual(mdExcerpt(sources, "a.py:2"), { first: 1, lines: ["one", "two"], marked: 2 });
  const found = mdExcerpt(sources, "a.py:150");
  assert.equal(found.lines.length, 40);
  assert.equal(found.lines[found.marked - found.first], "line 150");
  for (const nowhere of ["a.py:50", "b.py:1", "", "a.py", "toString:1", "__proto__:1"]) {
    assert.equal(mdExcerpt(sources, nowhere), null);
  }
});

test("two pictures are compared thing by thing", () => {
  const picture = (nodes) => new Map(Object.entries({ "": { k: ["root"] }, ...nodes }));
  const then = picture({
    root: { p: "stack", k: ["a", "b", "c"] }, a: { p: "text", t: "same" },
    b: { p: "text", t: "old" }, c: { p: "tree", t: "gone" },
  });
  const now = picture({
    root: { p: "stack", k: ["a", "b", "t"] }, a: { p: "text", t: "same" },
    b: { p: "text", t: "new" }, t: { p: "table", k: ["h", "r"] },
    h: { p: "row", k: ["hc"] }, hc: { p: "cell", r: "columnheader", t: "head" },
    r: { p: "row", k: ["x", "y"] }, x: { p: "cell", t: "left" }, y: { p: "cell", t: "right" },
  });
  assert.deepEqual(mdDifferences(then, now), [
    { mark: "~", then: "old", now: "new" },
    { mark: "+", then: "", now: "left  right" },
    { mark: "−", then: "gone", now: "" },
  ]);
});
