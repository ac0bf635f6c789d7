// A story as frames: forward, back, and to any moment without walking there.
//
// A frame brings operations on a flat state, one map of nodes for each view:
//
//     ["n", view, id, node]   this node is new, or another now
//     ["d", view, id]         this node is gone
//
// While frames arrive, the way back of each is noted (what the nodes were before), and now
// and then the whole state is kept: a keyframe, as soon as the operations since the last one
// outweigh a copy.  So all keyframes together weigh no more than all frames, a step costs its
// own operations, and a jump costs less than one keyframe's budget.  A keyframe every so
// many frames would not do: pictures grow.
//
// Nothing here touches a page.  The same algorithm in Python is `viz/film.py`, and a test
// walks both at random and compares.

const MD_KEYFRAME_BUDGET = 256; // operations
const MD_MOST_FRAMES = 100000; // of one film; beyond, the newest steps are in the file only

/** @typedef {{p: string, r?: string, n?: string, s?: string, t?: string, k?: string[]}} MdNode */
/** @typedef {Map<string, Map<string, MdNode>>} MdState  view → id → node */
/** @typedef {["n", string, string, MdNode] | ["d", string, string]} MdOperation */

/** The frames of one story, and a place among them; place 0 is before the first frame. */
class MdFilm {
  /** @param {object} header what `film.header` in Python gives */
  constructor(header) {
    this.header = header;
    this.position = 0;
    this.isFull = false;
    this.left = 0; // steps that are in the file only, before the last one here
    this._frames = [];
    this._back = []; // of each frame: operations that undo it, in the order to apply them
    this._weight = [0]; // operations up to and including frame i
    this._tip = mdStart(header); // after the newest frame
    this._here = mdStart(header); // at `position`
    this._keyframes = [{ at: 0, state: mdStart(header) }];
    this._early = new Map(); // from → frames that came before those ahead of them
  }

  /** How many frames there are. */
  get length() {
    return this._frames.length;
  }

  /** Give frame `i`, the first is 1; null for the place before it, and beyond the end. */
  frame(i) {
    return this._frames[i - 1] ?? null;
  }

  /** Give the nodes of a view by id, as they are now; "" names the root. */
  scene(view) {
    return this._here.get(view) ?? new Map();
  }

  /**
   * Take frames, the first of which is number `from`.  Frames that are known are passed over.
   *
   * @returns {{from: number, to: number} | null} what is missing before these, to be asked
   *     for again; the frames given wait until then.
   */
  add(from, frames) {
    if (from > this.length + 1) {
      this._early.set(from, frames);
      return { from: this.length + 1, to: from - 1 };
    }
    this._append(frames.slice(this.length + 1 - from));
    for (const [start, early] of [...this._early].sort((a, b) => a[0] - b[0])) {
      if (start > this.length + 1) {
        return { from: this.length + 1, to: start - 1 };
      }
      this._early.delete(start);
      this._append(early.slice(this.length + 1 - start));
    }
    return null;
  }

  /**
   * Go to frame `i`; beyond either end, to that end.
   *
   * @returns {Object<string, Set<string>>} of each view that changed, the ids that did
   */
  goto(i) {
    const target = Math.min(Math.max(Math.trunc(i) || 0, 0), this.length);
    const walk = Math.abs(this._weight[target] - this._weight[this.position]);
    const keyframe = this._keyframeBefore(target);
    const jump = mdSize(keyframe.state) + this._weight[target] - this._weight[keyframe.at];
    const changed = walk <= jump ? this._walk(target) : this._jump(keyframe, target);
    this.position = target;
    return changed;
  }

  /** Give the state at frame `i` without going there. */
  stateAt(i) {
    const keyframe = this._keyframeBefore(i);
    const state = mdCopy(keyframe.state);
    this._replay(state, keyframe.at, i);
    return state;
  }

  _append(frames) {
    for (const frame of frames) {
      if (this.length >= MD_MOST_FRAMES) {
        this.isFull = true;
        return;
      }
      this._frames.push(frame);
      this.left += frame.left ?? 0;
      this._back.push(mdApplyNotingBack(this._tip, frame.ops ?? []));
      this._weight.push(this._weight[this.length - 1] + this._back[this.length - 1].length);
      this._keepIfDue();
    }
  }

  _keepIfDue() {
    const last = this._keyframes[this._keyframes.length - 1];
    const since = this._weight[this.length] - this._weight[last.at];
    if (since >= Math.max(MD_KEYFRAME_BUDGET, mdSize(this._tip))) {
      this._keyframes.push({ at: this.length, state: mdCopy(this._tip) });
    }
  }

  /** The last keyframe at or before frame `i`, by halving. */
  _keyframeBefore(i) {
    let low = 0;
    let high = this._keyframes.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this._keyframes[middle].at <= i) {
        low = middle;
      } else {
        high = middle - 1;
      }
    }
    return this._keyframes[low];
  }

  /** Step by step, noting what each node was before it was touched first. */
  _walk(target) {
    const before = new Map();
    while (this.position < target) {
      mdNote(before, this._here, this._frames[this.position].ops ?? []);
      mdApply(this._here, this._frames[this.position].ops ?? []);
      this.position += 1;
    }
    while (this.position > target) {
      this.position -= 1;
      mdNote(before, this._here, this._back[this.position]);
      mdApply(this._here, this._back[this.position]);
    }
    return mdTouched(before, this._here);
  }

  /** From a keyframe.  Nodes are never altered, so one that is the same object is the same. */
  _jump(keyframe, target) {
    const old = this._here;
    this._here = mdCopy(keyframe.state);
    this._replay(this._here, keyframe.at, target);
    return mdDifferent(old, this._here);
  }

  _replay(state, from, to) {
    for (let i = from; i < to; i += 1) {
      mdApply(state, this._frames[i].ops ?? []);
    }
  }
}

/** The pictures before the first frame. */
function mdStart(header) {
  const state = new Map((header.views ?? []).map((view) => [view.name, new Map()]));
  mdApply(state, header.start ?? []);
  return state;
}

/** Copy a state; the nodes themselves are shared. */
function mdCopy(state) {
  return new Map([...state].map(([view, nodes]) => [view, new Map(nodes)]));
}

/** How many nodes a state has. */
function mdSize(state) {
  let size = 0;
  for (const nodes of state.values()) {
    size += nodes.size;
  }
  return size;
}

/** Apply operations to a state, in place. */
function mdApply(state, operations) {
  for (const [word, view, id, node] of operations) {
    if (word === "n") {
      mdNodesOf(state, view).set(id, node);
    } else if (word === "d") {
      mdNodesOf(state, view).delete(id);
    }
  }
}

/** The nodes of a view, made where a view was not announced. */
function mdNodesOf(state, view) {
  let nodes = state.get(view);
  if (!nodes) {
    nodes = new Map();
    state.set(view, nodes);
  }
  return nodes;
}

/** Apply operations and give those that undo them. */
function mdApplyNotingBack(state, operations) {
  const back = [];
  for (const operation of operations) {
    const [, view, id] = operation;
    const old = mdNodesOf(state, view).get(id);
    back.unshift(old === undefined ? ["d", view, id] : ["n", view, id, old]);
    mdApply(state, [operation]);
  }
  return back;
}

/** Note, once for each node that operations touch, what it is now. */
function mdNote(before, state, operations) {
  for (const [, view, id] of operations) {
    if (!before.has(view)) {
      before.set(view, new Map());
    }
    const noted = before.get(view);
    if (!noted.has(id)) {
      noted.set(id, mdNodesOf(state, view).get(id));
    }
  }
}

/** Of what was noted, the ids that are another now. */
function mdTouched(before, state) {
  const changed = {};
  for (const [view, noted] of before) {
    const nodes = mdNodesOf(state, view);
    const ids = [...noted].filter(([id, old]) => nodes.get(id) !== old).map(([id]) => id);
    if (ids.length) {
      changed[view] = new Set(ids);
    }
  }
  return changed;
}

/** The ids in which two states differ, by view. */
function mdDifferent(old, now) {
  const changed = {};
  for (const view of new Set([...old.keys(), ...now.keys()])) {
    const [before, after] = [mdNodesOf(old, view), mdNodesOf(now, view)];
    const ids = new Set([...before.keys()].filter((id) => !after.has(id)));
    for (const [id, node] of after) {
      if (before.get(id) !== node) {
        ids.add(id);
      }
    }
    if (ids.size) {
      changed[view] = ids;
    }
  }
  return changed;
}
