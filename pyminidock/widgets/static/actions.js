// What each action of the key table does, whether a key or a button asked for it.  There are
// two sorts: moves, which end playing, and deeds, which do not.  Going on at the end of a
// story that is held lets the engine do one step; everything else moves the view alone.

class MdActions {
  /** @param {MdPlayer} player */
  constructor(player) {
    this._player = player;
    this._runs = false; // while a held story is let go step by step, to its next part
  }

  /** Do one; an action that means nothing here does nothing. */
  do(action) {
    const moves = this._moves;
    if (Object.hasOwn(moves, action)) {
      this._runs = false;
      this._player.pace.stop();
      moves[action]();
    } else if (Object.hasOwn(this._deeds, action)) {
      this._deeds[action]();
    }
  }

  get _moves() {
    const { film, parts } = this._player;
    return {
      first: () => this._player.goto(0),
      last: () => this._player.goto(film.length),
      previous: () => this._back(mdBehind(film, film.position, this._player.depth)),
      next: () => this._next(),
      "previous-span": () => this._back(parts.startBefore(film.position)),
      "next-span": () => this._nextPart(),
    };
  }

  get _deeds() {
    return {
      play: () => this._togglePlay(),
      goto: () => this._player.toolbar.askNumber(),
      search: () => this._player.tools.askSearch(),
      break: () => this._toggleBreak(),
      "depth-1": () => this._setDepth(1),
      "depth-2": () => this._setDepth(2),
      "depth-3": () => this._setDepth(3),
      table: () => this._toggle("table", { compare: false }),
      source: () => this._toggle("source"),
      linux: () => this._toggle("linux"),
      compare: () => this._compare(),
      continue: () => this._player.order("continue"),
      undo: () => this._player.note(this._player.say("undo-view")),
      shell: () => this._player.note(this._player.say("shell-elsewhere")),
      link: () => this._copyLink(),
      copy: () => this._copyEvent(),
      pin: () => this._pin(),
      from: () => this._runFrom(),
      alone: () => this._player.setAlone(!this._player.isAlone),
      help: () => this._player.help.open(),
      close: () => this.walkOut(),
    };
  }

  _next() {
    const { film, live, say } = this._player;
    if (film.position < film.length) {
      this._player.goto(this._player.ahead);
    } else if (live.held) {
      this._player.order("step");
    } else {
      this._player.note(say(live.live && !live.gone ? "waiting" : "at-end"));
      this._player.options.onEdge?.("next");
    }
  }

  _back(i) {
    if (this._player.film.position === 0) {
      this._player.options.onEdge?.("previous");
    }
    this._player.goto(i);
  }

  _nextPart() {
    const { film, live, parts } = this._player;
    if (film.position < film.length) {
      this._player.goto(parts.endAfter(film.position));
    } else if (live.held && live.holdsParts) {
      this._player.order("continue");
    } else if (live.held) {
      this._runToPart();
    } else {
      this._next();
    }
  }

  _runToPart() {
    this._runs = true;
    this._player.order("step");
  }

  /** Let a held story go on to where its next part begins; whether it was let go. */
  runsOn() {
    const { live, film, parts } = this._player;
    if (!this._runs || live.held > film.length || (!live.held && !live.gone)) {
      return false; // nothing is held, or its step is still on its way
    }
    this._runs = !live.gone && !parts.list.some(({ start }) => start === live.held);
    if (this._runs) {
      this._player.order("step");
    }
    return this._runs;
  }

  _togglePlay() {
    const { film, live, pace } = this._player;
    if (pace.isGoing) {
      pace.stop();
      this._player.announce();
    } else {
      if (film.position === film.length && !live.live) {
        this._player.goto(0); // played to its end: once more
      }
      pace.start();
    }
    this._player.show({});
  }

  /** One step of playing; false ends it. */
  playOn() {
    const { film } = this._player;
    if (film.position < film.length) {
      this._player.goto(this._player.ahead);
      if (this._player.isStop(film.frame(film.position))) {
        this._player.note(this._player.say("stopped"));
        return this._played(false);
      }
      return this._played(film.position < film.length || this._player.live.live);
    }
    if (this._player.live.held) {
      this._player.order("step");
    }
    return this._played(this._player.live.live && !this._player.live.gone);
  }

  /** The clock stops after this call; the button has to say so by then. */
  _played(goesOn) {
    if (!goesOn) {
      this._player.pace.stop();
      this._player.show({});
      this._player.announce();
    }
    return goesOn;
  }

  _toggleBreak() {
    const frame = this._player.film.frame(this._player.film.position);
    if (frame) {
      this._player.setBreak(frame.k, !this._player.breaks.has(frame.k));
    }
  }

  _setDepth(depth) {
    this._player.depth = depth;
    this._player.show({});
    this._player.announce();
  }

  _toggle(name, others = {}) {
    this._player.shows = { ...this._player.shows, ...others, [name]: !this._player.shows[name] };
    this._player.show({});
  }

  /** Mark this step; at another one, show what is different; then forget it. */
  _compare() {
    if (this._player.shows.compare) {
      this._forgetComparison();
    } else if (this._player.compared === null || this._player.compared === this._player.film.position) {
      this._player.compared = this._player.film.position;
      this._player.note(this._player.say("compare-marked", { i: this._player.compared }));
    } else {
      this._toggle("compare", { table: false });
    }
  }

  _forgetComparison() {
    this._player.compared = null;
    this._player.shows = { ...this._player.shows, compare: false };
    this._player.show({});
  }

  _copyLink() {
    const address = this._player.options.permalink?.(this._player.film.position) ?? "";
    return this._copy(address, "link-copied");
  }

  /** Copy the event of this step; what it tells is ASCII, so it is harmless where it is pasted. */
  _copyEvent() {
    const { film, say } = this._player;
    const frame = film.frame(film.position);
    if (!frame) {
      this._player.note(say("copy-none"));
      return null;
    }
    const { seq, k: kind, t, src, ev: evidence, linux } = frame;
    const known = { seq, kind, story: film.header.story, t, src, evidence, linux };
    const data = frame.d ? `,"data":${frame.d}` : "";
    return this._copy(`${JSON.stringify(known).slice(0, -1)}${data}}`, "copied");
  }

  async _copy(text, said) {
    try {
      await navigator.clipboard.writeText(text);
      this._player.note(this._player.say(said));
    } catch {
      this._player.note(text); // no clipboard here: it can be read and copied by hand
    }
  }

  /** Let this step be the picture that stays where there is no kernel. */
  _pin() {
    const step = Math.max(this._player.film.position, 1);
    this._player.options.send?.({ t: "pin", step });
    this._player.note(this._player.say("pinned", { i: step }));
  }

  /** Ask for a container that begins where this step ended; the engine says what came of it. */
  _runFrom() {
    const step = Math.max(this._player.film.position, 1);
    this._player.options.send?.({ t: "from", step });
    this._player.note(this._player.say("from-asked", { i: step }));
  }

  /** Escape: close what is open, then go to the root, then out. */
  walkOut() {
    const within = this._player.root.querySelector("details.md-ui-breaks[open]");
    if (this._player.help.isOpen) {
      this._player.help.close();
    } else if (within) {
      within.open = false;
      within.querySelector("summary").focus();
    } else if (this._player.shows.compare) {
      this._forgetComparison();
    } else if (document.activeElement !== this._player.root) {
      this._player.root.focus({ preventScroll: true });
    } else if (this._player.shows.table) {
      this._toggle("table");
    } else {
      this._leave();
    }
  }

  _leave() {
    const leave = this._player.options.leave ?? (() => this._player.root.closest(".jp-Cell")?.focus());
    leave();
  }
}
