// What a film promises, as node sees it.  `test_film_js.py` runs this beside `film.mjs`, which
// is the player's own file with an export line, and `golden.json`, walked by Python.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { MdFilm } from "./film.mjs";

const HEADER = { views: [{ name: "birth" }, { name: "build" }] };
const node = (text, ...children) => ({ p: "text", t: text, k: children });
const set = (id, text) => ["n", "birth", id, node(text)];

function film(...frames) {
  const made = new MdFilm(HEADER);
  assert.equal(made.add(1, frames.map((ops, n) => ({ i: n + 1, ops }))), null);
  return made;
}

const texts = (made) => [...made.scene("birth")].map(([id, each]) => `${id}=${each.t}`).sort();

test("before the first frame there is nothing", () => {
  const made = film([set("a", "1")]);
  assert.equal(made.position, 0);
  assert.equal(made.frame(0), null);
  assert.deepEqual(texts(made), []);
});

test("a step forward applies a frame, a step back undoes it", () => {
  const made = film([set("a", "1")], [set("a", "2"), set("b", "3")], [["d", "birth", "a"]]);
  made.goto(2);
  assert.deepEqual(texts(made), ["a=2", "b=3"]);
  made.goto(3);
  assert.deepEqual(texts(made), ["b=3"]);
  made.goto(1);
  assert.deepEqual(texts(made), ["a=1"]);
  made.goto(0);
  assert.deepEqual(texts(made), []);
});

test("a node that one frame touches twice comes back as it was before both", () => {
  const made = film([set("a", "1")], [["d", "birth", "a"], set("a", "2")]);
  made.goto(2);
  made.goto(1);
  assert.deepEqual(texts(made), ["a=1"]);
});

test("whoever paints is told what changed and nothing else", () => {
  const made = film([set("a", "1"), set("b", "1")], [set("a", "2")], [["n", "build", "x", node("")]]);
  made.goto(1);
  assert.deepEqual(made.goto(2), { birth: new Set(["a"]) });
  assert.deepEqual(made.goto(3), { build: new Set(["x"]) });
  assert.deepEqual(made.goto(3), {});
  assert.deepEqual(made.goto(0), { birth: new Set(["a", "b"]), build: new Set(["x"]) });
});

test("a way forth and back in one move changes nothing", () => {
  const same = node("1");
  const made = film([["n", "birth", "a", same]], [set("a", "2")], [["n", "birth", "a", same]]);
  made.goto(1);
  assert.deepEqual(made.goto(3), {});
});

test("beyond either end is that end", () => {
  const made = film([set("a", "1")], [set("a", "2")]);
  made.goto(99);
  assert.equal(made.position, 2);
  made.goto(-5);
  assert.equal(made.position, 0);
  made.goto(NaN);
  assert.equal(made.position, 0);
});

test("another moment can be looked at without going there", () => {
  const made = film([set("a", "1")], [set("a", "2")]);
  made.goto(2);
  assert.equal(made.stateAt(1).get("birth").get("a").t, "1");
  assert.deepEqual(texts(made), ["a=2"]);
});

test("frames that are missing are named, and those behind them wait", () => {
  const made = film([set("a", "1")]);
  assert.deepEqual(made.add(4, [{ i: 4, ops: [set("d", "4")] }]), { from: 2, to: 3 });
  assert.equal(made.length, 1);
  assert.deepEqual(made.add(6, [{ i: 6, ops: [] }]), { from: 2, to: 5 });
  const found = [2, 3].map((i) => ({ i, ops: [set("a", String(i))] }));
  assert.deepEqual(made.add(2, found), { from: 5, to: 5 });
  assert.equal(made.length, 4);
  assert.equal(made.add(5, [{ i: 5, ops: [] }]), null);
  assert.equal(made.length, 6);
});

test("frames that come twice are taken once", () => {
  const made = film([set("a", "1")], [set("a", "2")]);
  const again = [1, 2, 3].map((i) => ({ i, ops: [set(`n${i}`, "x")] }));
  assert.equal(made.add(1, again), null);
  assert.equal(made.length, 3);
  made.goto(3);
  assert.deepEqual(texts(made), ["a=2", "n3=x"]);
});

test("keyframes weigh no more than the frames, and a jump no more than one budget", () => {
  const frames = Array.from({ length: 5000 }, (_, n) => [set(`n${n % 700}`, String(n))]);
  const made = film(...frames);
  const kept = made._keyframes.map(({ at, state }) => ({ at, size: state.get("birth").size }));
  assert.ok(kept.length > 5, `${kept.length} keyframes`);
  const weight = kept.reduce((sum, { size }) => sum + size, 0);
  assert.ok(weight <= 5000, `${weight} nodes are kept for 5000 operations`);
  kept.forEach(({ at }, n) => {
    const next = kept[n + 1]?.at ?? 5000;
    assert.ok(next - at <= 700, `${next - at} operations from ${at} to ${next}`);
  });
});

test("any order of moves gives what Python gives", () => {
  const { header, frames, moves } = JSON.parse(readFileSync("golden.json", "utf8"));
  const made = new MdFilm(header);
  made.add(1, frames);
  for (const { to, state } of moves) {
    made.goto(to);
    for (const { name } of header.views) {
      assert.deepEqual(Object.fromEntries(made.scene(name)), state[name] ?? {}, `at ${to}`);
    }
  }
});
