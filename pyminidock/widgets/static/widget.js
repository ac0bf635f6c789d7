// The stepper inside a notebook: what the kernel says becomes a film, and orders go back.
//
// A model is what all views of one widget share: the frames, the sources, the state of the
// story.  A view is one player on the page, with a film of its own, for each has drawn
// another step; but all of them stand at the same one.  Frames come in batches; a batch that
// does not join is asked for again.  While a story is held, each "state" of the kernel is answered
// by "here" as long as a view is shown: that is how the kernel knows that somebody looks.

const MD_MOST_SILENT_BEATS = 3;

/** What all views of one widget share. */
class MdNotebookStory {
  constructor(model, signal) {
    this._model = model;
    this.film = null;
    this.sources = {};
    this.missing = null; // frames that were asked for again
    this.opens = 0; // the step at which its pages open
    this.follows = false; // its pages open at its end: it was begun here, not called up
    this.state = { live: false, held: 0, gone: false, says: "" };
    this._views = new Set();
    this._taken = null; // the view that has `film`
    this._isLeading = false; // one view moves the others now
    this._beatMs = 0;
    this._heardAt = Date.now();
    const heard = (message, buffers) => this._heard(message, buffers ?? []);
    model.on("msg:custom", heard);
    const timer = setInterval(() => this._listen(), 1000);
    signal.addEventListener("abort", () => {
      model.off("msg:custom", heard);
      clearInterval(timer);
    });
    this.send({ t: "hello", have: 0 });
  }

  /** Tell the kernel; one that is gone does not hear it. */
  send(message) {
    try {
      this._model.send(message);
    } catch {
      this._change({ gone: true });
    }
  }

  /** Show the story in `root` until `signal` says that the view is gone. */
  show(root, signal) {
    const view = new MdNotebookView(this, root, signal);
    this._views.add(view);
    this._countViews();
    signal.addEventListener("abort", () => {
      this._views.delete(view);
      this._countViews();
      this._taken = this._taken === view ? null : this._taken;
    });
  }

  /** Whether there is more than one view. */
  get hasTwins() {
    return this._views.size > 1;
  }

  /** Give a view its film: the first one has the one that frames are added to. */
  filmFor(view) {
    this._taken ??= view;
    if (this._taken === view) {
      return this.film;
    }
    const film = new MdFilm(this.film.header);
    film.add(1, Array.from({ length: this.film.length }, (_, n) => this.film.frame(n + 1)));
    return film;
  }

  /** A view went to a step: the others go there, too, but for those that walk alone. */
  moved(view, step) {
    if (!this._isLeading && !view.isAlone) {
      this._isLeading = true;
      this.opens = step; // a view that comes later stands there, too
      this._views.forEach((other) => other !== view && other.follow(step));
      this._isLeading = false;
    }
  }

  _countViews() {
    this._views.forEach((view) => view.setTwins(this.hasTwins));
  }

  _heard(message, buffers) {
    this._heardAt = Date.now();
    if (this.state.gone) {
      this._change({ gone: false });
    }
    if (message.t === "film") {
      this._begin(message);
    } else if (message.t === "frames") {
      this._grow(message, buffers);
    } else if (message.t === "state") {
      this._beatMs = (message.beat ?? 0) * 1000;
      const { live, held, says, parts } = message;
      this._change({
        live: Boolean(live), held: held ?? 0, says: says ?? "", holdsParts: Boolean(parts),
      });
      if (held && this._views.size) {
        this.send({ t: "here" });
      }
    }
  }

  _begin(message) {
    for (const [path, windows] of Object.entries(message.sources ?? {})) {
      this.sources[path] = windows;
    }
    if (this.film === null) {
      this.film = new MdFilm(message.header);
      this.follows = Boolean(message.follows);
      this.opens = message.opens ?? 0;
      this.state.live = Boolean(message.header.live);
      this._views.forEach((view) => view.begin());
    } else {
      this._views.forEach((view) => view.read());
    }
  }

  _grow(message, buffers) {
    const bytes = buffers[0];
    if (this.film === null || bytes === undefined) {
      this.send({ t: "hello", have: 0 });
      return;
    }
    const frames = JSON.parse(new TextDecoder().decode(bytes));
    this.missing = this.film.add(message.from, frames);
    if (this.missing !== null) {
      this.send({ t: "resend", from: this.missing.from });
    }
    this._views.forEach((view) => view.grew(message.from, frames));
  }

  _change(news) {
    const before = JSON.stringify(this.state);
    Object.assign(this.state, news);
    if (JSON.stringify(this.state) !== before) {
      this._views.forEach((view) => view.setState());
    }
  }

  /** A kernel that says nothing for so long is gone; stepping goes on without it. */
  _listen() {
    const silent = Date.now() - this._heardAt;
    if (this._beatMs > 0 && silent > MD_MOST_SILENT_BEATS * this._beatMs + 1000) {
      this._change({ gone: true, live: false, held: 0 });
    }
  }
}

/** One player on the page. */
class MdNotebookView {
  constructor(story, root, signal) {
    this._story = story;
    this._root = root;
    this._signal = signal;
    this._player = this._film = null;
    if (story.film !== null) {
      this.begin();
    }
  }

  begin() {
    if (this._player !== null || this._signal.aborted) {
      return;
    }
    mdHideFigures(this._root, this._signal); // not before: until now there is nothing else
    const { sources } = this._story;
    this._film = this._story.filmFor(this);
    this._player = new MdPlayer(this._root, this._film, {
      send: (message) => this._story.send(message),
      sources,
      signal: this._signal,
      follows: this._story.follows,
      opens: this._story.opens,
      pins: true,
    });
    this.setTwins(this._story.hasTwins);
    this.setState();
    this._player.setMissing(this._story.missing);
    this._player.onMove((step) => this._story.moved(this, step));
  }

  /** Whether it walks on its own. */
  get isAlone() {
    return Boolean(this._player?.isAlone);
  }

  setTwins(areThere) {
    this._player?.setTwins(areThere);
  }

  /** Stand where another view stands. */
  follow(step) {
    if (this._film && !this.isAlone && this._film.position !== step) {
      this._player.goto(step);
    }
  }

  grew(from, frames) {
    if (this._film && this._film !== this._story.film) {
      this._film.add(from, frames);
    }
    this._player?.grew();
    this._player?.setMissing(this._story.missing);
  }

  /** More of the engine's source is there. */
  read() {
    this._player?.addSources({});
  }

  setState() {
    this._player?.setState({ ...this._story.state });
  }
}

export default () => {
  let story = null; // one per model: this function runs once for each
  return {
    initialize({ model, signal }) {
      story = new MdNotebookStory(model, signal);
    },
    render({ el, signal }) {
      const root = document.createElement("div");
      root.className = "md-root";
      root.lang = "en";
      el.appendChild(root);
      story.show(root, signal);
    },
  };
};
