// What can be asked of a story's frames: which parts it has, where words are said, where to
// stop.  It looks at the words of frames only, never at pictures, and touches no page.

/** The parts of a story, known as far as frames have come. */
class MdParts {
  /** @param {MdFilm} film */
  constructor(film) {
    this._film = film;
    this._known = 0; // frames looked at
    this.list = []; // {start, head}: the number of its first step, and its heading
  }

  /** Look at the frames that came since. */
  grow() {
    for (let i = this._known + 1; i <= this._film.length; i += 1) {
      const frame = this._film.frame(i);
      if (i === 1 || frame.part !== this._film.frame(i - 1).part) {
        this.list.push({ start: i, head: frame.head || frame.part || "" });
      }
    }
    this._known = this._film.length;
  }

  /** The part to which step `i` belongs; null before the first step. */
  at(i) {
    let low = 0;
    let high = this.list.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.list[middle].start <= i) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return this.list[low - 1] ?? null;
  }

  /** The end of the part in which the next step lies. */
  endAfter(i) {
    const following = this.list[this.list.indexOf(this.at(i + 1)) + 1];
    return following && i < this._film.length ? following.start - 1 : this._film.length;
  }

  /** Before the part of step `i`; there, before the part before it. */
  startBefore(i) {
    const part = this.at(i);
    return part ? part.start - 1 : 0;
  }
}

/**
 * The first and the last step of the group of step `i`: many alike, read as one where somebody
 * asks only what happened.  A frame says by `g` that it joins the one before it; which do is
 * decided in `viz/groups.py`.
 */
function mdReadAsOne(film, i) {
  let [first, last] = [i, i];
  while (film.frame(first)?.g) {
    first -= 1;
  }
  while (film.frame(last + 1)?.g) {
    last += 1;
  }
  return { first, last };
}

/** The step after `i`; at the first depth the last of its group, or a stop within it. */
function mdAhead(film, i, depth, isStop) {
  let to = i + 1;
  while (depth === 1 && film.frame(to + 1)?.g && !isStop(film.frame(to))) {
    to += 1;
  }
  return to;
}

/** The step before `i`; at the first depth the one before its group. */
function mdBehind(film, i, depth) {
  return (depth === 1 ? mdReadAsOne(film, i).first : i) - 1;
}

/** Words of a step that a search looks through, in small letters: `said` and what is shown. */
function mdWordsOf(frame, said) {
  const shown = [frame.k, frame.src, frame.linux, ...said];
  return shown.filter(Boolean).join("\n").toLowerCase();
}

/**
 * The numbers of all steps that say `words`, in order: those that show them at this depth, or
 * where none does, those that would at another.
 */
function mdMatches(film, words, depth) {
  const wanted = words.trim().toLowerCase();
  const [shown, hidden] = [[], []];
  for (let i = 1; wanted && i <= film.length; i += 1) {
    const frame = film.frame(i);
    const said = frame.say ?? [];
    if (mdWordsOf(frame, said.slice(depth - 1, depth)).includes(wanted)) {
      shown.push(i);
    } else if (mdWordsOf(frame, said).includes(wanted)) {
      hidden.push(i);
    }
  }
  return shown.length ? shown : hidden;
}

/** Of steps in order the one after `from` (before it, where `way` is -1), around the end. */
function mdNextOf(steps, from, way) {
  const ahead = way > 0 ? steps.find((i) => i > from) : steps.findLast((i) => i < from);
  return ahead ?? (way > 0 ? steps[0] : steps[steps.length - 1]) ?? null;
}

/** Whether a step is of a kind that a pattern such as "mount.*" names. */
function mdStops(pattern, frame) {
  const [kind] = pattern.split(" ");
  return mdGlob(kind, frame.k);
}

/**
 * Whether `text` is what `pattern` means, in which * stands for anything, ? for one.  After a
 * star one only ever goes back to the last star: no pattern takes long, as one made into a
 * regular expression would.
 */
function mdGlob(pattern, text) {
  let [at, star, tried] = [0, -1, 0];
  let i = 0;
  while (i < text.length) {
    if (pattern[at] === "*") {
      [star, tried] = [at, i];
      at += 1;
    } else if (pattern[at] === "?" || pattern[at] === text[i]) {
      at += 1;
      i += 1;
    } else if (star >= 0) {
      at = star + 1;
      tried += 1;
      i = tried;
    } else {
      return false;
    }
  }
  return [...pattern.slice(at)].every((letter) => letter === "*");
}
