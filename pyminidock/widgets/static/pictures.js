// The pictures of a story: one at a time, or all beside each other.  Each is drawn by the
// painter of `dom.js` from its flat map of nodes; a step redraws only nodes that changed, and
// a picture that is not on show is drawn when it comes on show.

class MdPictures {
  /** @param {MdPlayer} player */
  constructor(player) {
    const { film, say, signal } = player;
    this._player = player;
    this._views = film.header.views ?? [];
    this._hosts = new Map(this._views.map((view) => [view.name, this._host(view)]));
    this._drawn = new Set(); // views whose picture is the one of this step
    this._shown = this._views[0]?.name ?? "";
    this._isGrid = false;
    this._tabs = this._views.map((view) => mdElement("button", {
      class: "md-ui-tab", type: "button", text: view.title, "aria-pressed": "false", signal,
      on: { click: () => this.choose(view.name) },
    }));
    this._grid = mdElement("button", {
      class: "md-ui-tab md-ui-tab-grid", type: "button", text: say("grid"), signal,
      "aria-pressed": "false", on: { click: () => this._toggleGrid() },
    });
    this._question = mdElement("div", {
      class: this._views.length > 1 ? "md-sr" : "md-ui-question",
      role: "heading", "aria-level": player.level + 1,
    });
    this.element = mdElement(
      "div", { class: "md-ui-pictures" },
      this._question,
      this._views.length > 1 ? mdElement(
        "div", { class: "md-ui-tabs", role: "group", "aria-label": say("pictures") },
        ...this._tabs, this._grid,
      ) : null,
      mdElement(
        "div", { class: "md-ui-hosts" },
        ...this._views.map(({ name }) => this._hosts.get(name)),
      ),
    );
  }

  /** The name of the picture on show. */
  get shown() {
    return this._shown;
  }

  /** Show one picture instead of another. */
  choose(name) {
    if (this._hosts.has(name)) {
      this._shown = name;
      this._isGrid = false;
      this.show({});
    }
  }

  /** Redraw what `changed` names, where it is on show. */
  show(changed) {
    this._views.forEach(({ name }, n) => {
      const isShown = this._isGrid || name === this._shown;
      const host = this._hosts.get(name);
      host.hidden = !isShown;
      mdSet(this._tabs[n], "aria-pressed", String(isShown && !this._isGrid));
      if (!isShown) {
        if (changed[name]) {
          this._drawn.delete(name);
        }
      } else if (!this._drawn.has(name)) {
        this._paint(name);
      } else if (changed[name]) {
        mdPatchView(this._canvas(name), this._scene(name), changed[name], this._options(name));
      }
      if (isShown && changed[name]) {
        mdScrollToChange(host);
      }
    });
    const view = this._views.find(({ name }) => name === this._shown);
    mdPut(this._question, this._isGrid ? this._player.say("pictures") : view?.title ?? "");
    mdSet(this._grid, "aria-pressed", String(this._isGrid));
    this.element.classList.toggle("md-ui-grid", this._isGrid);
  }

  _paint(name) {
    mdPaintView(this._canvas(name), this._scene(name), this._options(name));
    this._drawn.add(name);
  }

  _toggleGrid() {
    this._isGrid = !this._isGrid;
    this.show({});
  }

  _scene(name) {
    return this._player.film.scene(name);
  }

  _canvas(name) {
    return this._hosts.get(name).querySelector(".md-ui-canvas");
  }

  _options(view) {
    const { glyphs, changed, states, words } = this._player.film.header;
    return { glyphs, changed, states, words, view };
  }

  _host({ title }) {
    return mdElement(
      "div",
      { class: "md-ui-host", role: "group", tabindex: 0, "aria-label": title, hidden: true },
      mdElement("div", { class: "md-ui-canvas" }),
    );
  }
}

/** Bring what changed into sight, within the picture alone: the page itself stays. */
function mdScrollToChange(host) {
  const mark = host.querySelector(".md-changed");
  if (!mark || host.scrollHeight <= host.clientHeight) {
    return;
  }
  const [inner, outer] = [mark.getBoundingClientRect(), host.getBoundingClientRect()];
  if (inner.top < outer.top || inner.bottom > outer.bottom) {
    host.scrollTop += inner.top - outer.top - host.clientHeight / 3;
  }
}
