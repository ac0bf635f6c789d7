// The stepper: one story on a page, forward and back, live or from a recording.
//
//     title                                    [REPLAY of REAL, its date]
//     First Back Play NEXT Last   ──●────────   Step 42 of 317
//     what happened, and how, and which call
//     the picture                              │ the engine's source
//     parts, tables, search, stops, speed
//
// Everything happens here, on frames that are in the page: the kernel is asked for news and
// told orders, never for a picture.  Going back moves the view and nothing else: a container
// that is held stays held.
//
// The parts of the page are classes of their own, each with an `element` and a `show`; here is
// where one stands, what is open, and what each action of the key table does.

class MdPlayer {
  /**
   * @param {HTMLElement} root an empty element that becomes the player
   * @param {MdFilm} film
   * @param {object} options
   *   send(message)  tells the kernel; absent in a replay
   *   sources        excerpts of the engine's source: {path: [[first line, text], …]}
   *   signal         ends every listener and timer
   *   follows        stand at its end from the first on, live or not
   *   opens          the step at which a recording is opened, 1 unless said
   *   embed          no title: whoever embeds it has one
   *   permalink(i)   gives the address of a step; absent where steps have none
   *   pins           whether a step can become the picture that stays, and a container
   *   leave()        takes the focus when Escape leaves the player
   *   heading        level of the title, 2 unless said
   */
  constructor(root, film, options = {}) {
    this.root = root;
    this.film = film;
    this.options = options;
    this.signal = options.signal ?? new AbortController().signal;
    this.sources = options.sources ?? {};
    this.say = mdWords(film.header.words);
    this.keys = new MdKeys(film.header.keys);
    this.parts = new MdParts(film);
    this.level = options.heading ?? 2; // of the title; parts of the page are one deeper
    this.depth = 1;
    this.shows = { table: false, source: false, linux: true, compare: false };
    this.breaks = new Set();
    this.matches = { words: "", steps: [], upTo: 0 };
    this.compared = null; // the step that is marked to be compared with
    this.live = { live: Boolean(film.header.live), held: 0, gone: false, says: "" };
    this._wasLive = this.live.live || Boolean(options.follows); // at any time
    this.missing = null; // {from, to}: frames that are awaited
    this.isAlone = false; // it walks, and other views of this story do not follow
    this.isStop = (frame) => [...this.breaks].some((pattern) => mdStops(pattern, frame));
    this._listeners = new Set();
    this.pace = new MdPace({
      next: () => this._actions.playOn(), gap: () => this._gapAhead(), signal: this.signal,
    });
    this._actions = new MdActions(this);
    this._build();
    this.grew();
  }

  get isPlaying() {
    return this.pace.isGoing;
  }

  /** The step to which Next goes: at the first depth the end of a group. */
  get ahead() {
    return mdAhead(this.film, this.film.position, this.depth, this.isStop);
  }

  // ── What arrives ────────────────────────────────────────────────────────────────────────

  /**
   * Frames came: whoever stands at the end of a live story stays at its end; its last frames
   * may come after the word that it is over.
   */
  grew() {
    const follows = this._wasLive && this.film.position === this._known;
    const isFirst = !this._known && this.film.length > 0;
    const opens = this._wasLive ? this.film.length : this.options.opens || 1;
    const isOpening = this.film.position === this._opened && this._opened < opens;
    this._known = this.film.length;
    this.parts.grow();
    this.look(this.matches.words);
    if (follows || isFirst || isOpening) {
      this.goto(opens);
      this._opened = this._wasLive ? undefined : this.film.position;
    } else {
      this.show({});
    }
    this._actions.runsOn(); // the step at which it is held may have come only now
  }

  /**
   * Take news of the engine: `held` is the number of the step after which the story waits, 0
   * for none; `holdsParts` whether it is held at parts only; `gone` that nobody answers.
   */
  setState(news) {
    this.live = { ...this.live, ...news };
    this._wasLive ||= this.live.live;
    if (this.live.gone) {
      this.live.held = 0;
    }
    if (this._actions.runsOn()) {
      return;
    }
    if (this.live.held) {
      this._voice.say(mdBannerWords(this.live, this.film, this.missing, this.say));
    }
    this.show({});
  }

  /** Say which frames are awaited, null for none. */
  setMissing(missing) {
    this.missing = missing;
    this.show({});
  }

  /** Take more of the engine's source. */
  addSources(sources) {
    Object.assign(this.sources, sources);
    this.show({});
  }

  /** Say whether there are other views of this story, which walk along. */
  setTwins(areThere) {
    this._alone.hidden = !areThere && !this.isAlone;
  }

  /** Walk on its own, or with the other views again. */
  setAlone(isAlone) {
    this.isAlone = isAlone;
    mdSet(this._alone, "aria-pressed", String(isAlone));
    this.note(this.say(isAlone ? "alone-on" : "alone-off"));
  }

  /** Be told of each move: listener(step, of how many). */
  onMove(listener) {
    this._listeners.add(listener);
  }

  // ── Moving ──────────────────────────────────────────────────────────────────────────────

  /** Go to step `i`, or to the nearest that exists. */
  goto(i) {
    const changed = this.film.goto(i);
    this.show(changed);
    this.announce();
    this._listeners.forEach((listener) => listener(this.film.position, this.film.length));
  }

  /** Go where the scrubber is dragged: at most once for each picture of the screen. */
  scrub(i) {
    this.pace.stop();
    cancelAnimationFrame(this._scrubbed);
    this._scrubbed = requestAnimationFrame(() => this.goto(i));
  }

  /** Do what an action of the key table says. */
  act(action) {
    this.note("");
    this._actions.do(action);
  }

  /** Tell the engine what to do with what it holds. */
  order(word) {
    if (!this.live.held || this.live.gone) {
      this.note(this.say("nothing-held"));
      return;
    }
    this.live = { ...this.live, held: 0, says: "" };
    this.options.send?.({ t: "order", word });
    this.goto(this.film.length);
  }

  // ── Searching and stopping ──────────────────────────────────────────────────────────────

  /** Find all steps that say `words`; nobody moves. */
  look(words) {
    const steps = mdMatches(this.film, words, this.depth);
    this.matches = { words: words.trim().toLowerCase(), steps };
    this.tools.show();
    this._steps.show(this.shows.table);
  }

  /** Go to the next step that says `words`, or to the one before. */
  find(words, way) {
    this.pace.stop();
    this.look(words);
    const step = mdNextOf(this.matches.steps, this.film.position, way);
    if (step === null) {
      this.note(words.trim() ? this.say("search-none") : "");
    } else {
      this.goto(step);
    }
  }

  /** Stop, or no longer stop, at steps of a kind. */
  setBreak(pattern, isOn) {
    if (isOn) {
      this.breaks.add(pattern);
    } else {
      this.breaks.delete(pattern);
    }
    if (this.live.live) {
      this.options.send?.({ t: "break", pattern, on: isOn });
    }
    this.note(this.say(isOn ? "break-on" : "break-off", { kind: pattern }));
    this.show({});
  }

  /** The steps of this story at which one stops. */
  stopsInStory() {
    const asked = `${this.film.length} ${[...this.breaks].join("\n")}`;
    if (asked !== this._stopsAsked) {
      this._stopsAsked = asked;
      const count = this.breaks.size ? this.film.length : 0;
      const all = Array.from({ length: count }, (_, n) => n + 1);
      this._stops = all.filter((i) => this.isStop(this.film.frame(i)));
    }
    return this._stops;
  }

  /** Play faster or slower: one of MD_SPEEDS. */
  setSpeed(speed) {
    this.pace.speed = speed;
  }

  /** Seconds from this step to the next, as recorded. */
  _gapAhead() {
    const [here, ahead] = [this.film.frame(this.film.position), this.film.frame(this.ahead)];
    return here && ahead ? ahead.t - here.t : 0;
  }

  // ── The page ────────────────────────────────────────────────────────────────────────────

  _build() {
    const { root, film, say } = this;
    root.classList.add("md-root", "md-player");
    root.classList.toggle("md-embed", Boolean(this.options.embed));
    root.lang = film.header.lang ?? "en";
    root.tabIndex = 0;
    root.setAttribute("role", "region");
    // A notebook may show three builds of one name: each is found by its own.
    const title = `${film.header.title} (${film.header.story})`;
    root.setAttribute("aria-label", say("player", { title }));
    this.toolbar = new MdToolbar(this);
    this._caption = new MdCaption(this);
    this.pictures = new MdPictures(this);
    this._steps = new MdSteps(this);
    this._lens = new MdLens(this);
    this._compareTable = new MdCompare(this);
    this.tools = new MdTools(this);
    this._banner = new MdBanner(this);
    this.help = new MdHelp(this);
    this._voice = new MdVoice(this.signal);
    this._noted = mdElement("p", { class: "md-ui-note" });
    root.replaceChildren(
      this._head(), this.toolbar.element, this._banner.element, this._caption.element,
      mdElement(
        "div", { class: "md-ui-stage" },
        mdElement("div", { class: "md-ui-main" }, this.pictures.element, this._steps.element,
          this._compareTable.element),
        this._lens.element,
      ),
      this._noted, this.tools.element, this.help.element, this._voice.element,
    );
    mdListenToKeys(root, this.keys, {
      act: (action) => this.act(action), leave: () => this._actions.walkOut(), signal: this.signal,
    });
    mdFollowTheme(root, this.signal);
  }

  /** The title, and the label that nobody may take away: what is real here. */
  _head() {
    const { header } = this.film;
    const title = mdElement("div", {
      class: "md-ui-title", role: "heading", "aria-level": this.level, text: header.title,
      title: header.title, // on a low screen it is cut short
    });
    this._label = mdElement("span", { class: "md-ui-label" });
    this._alone = mdTool(this, "alone", this.say("alone"));
    mdSet(this._alone, "aria-pressed", "false");
    this._alone.hidden = true;
    this._date = mdElement("span", { class: "md-ui-date" });
    return mdElement("div", { class: "md-ui-header" }, title, mdElement(
      "div", { class: "md-ui-labels" }, this._label, this._date,
      this._alone,
      this.options.pins ? mdTool(this, "from", this.say("from")) : null,
      this.options.pins ? mdTool(this, "pin", this.say("pin")) : null,
      this.options.permalink ? mdTool(this, "link", this.say("link")) : null,
      mdTool(this, "help", this.say("help")),
    ));
  }

  _showLabel() {
    const { header } = this.film;
    const { live, gone } = this.live;
    const isLive = live && !gone;
    mdPut(this._label, isLive ? header.label : this.say("replay-of", { label: header.label }));
    this._label.dataset.label = header.label;
    const date = (header.created ?? "").slice(0, 16).replace("T", " ");
    mdPut(this._date, isLive ? this.say("live") : this.say("recorded", { created: date }));
  }

  /** Show everything as it is now; `changed` says what is another in the pictures. */
  show(changed) {
    this._showLabel();
    this.toolbar.show();
    this._caption.show();
    this._banner.show();
    this.pictures.element.hidden = this.shows.table || this.shows.compare;
    this.pictures.show(changed);
    this._steps.show(this.shows.table);
    this._compareTable.show(this.shows.compare);
    this._lens.show(this.shows.source);
    this.tools.show();
    this.root.classList.toggle("md-ui-with-lens", this.shows.source);
  }

  /** Say something about what was just asked for; it goes at the next move. */
  note(words) {
    mdPut(this._noted, words);
    if (words) {
      this._voice.say(words);
    }
  }

  /** Say where one stands: the sentence, or while it plays only the heading of a new part. */
  announce() {
    const { film, parts, depth, isPlaying } = this;
    const frame = film.frame(film.position);
    if (!isPlaying) {
      this._voice.say(frame ? frame.say[depth - 1] : this.say("before"));
    } else if (frame?.head) {
      this._voice.say(parts.at(film.position)?.head ?? "");
    }
  }
}
