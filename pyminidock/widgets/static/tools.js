// The quiet row: parts of the story, search, where to stop, what else to show, how fast.

class MdTools {
  /** @param {MdPlayer} player */
  constructor(player) {
    const { say } = player;
    this._player = player;
    this._toggles = ["table", "source", "linux", "compare"].map((name) => this._toggle(name));
    this._search = this._searchField();
    this._found = mdElement("span", { class: "md-ui-found" });
    this._breaks = new MdBreaks(player);
    this._speed = this._speedList();
    this.element = mdElement(
      "div", { class: "md-ui-tools", role: "group", "aria-label": say("tools") },
      mdElement(
        "span", { class: "md-ui-tool-group" },
        this._tool("previous-span", `⇤ ${say("previous-span")}`),
        this._tool("next-span", `${say("next-span")} ⇥`),
      ),
      mdElement("span", { class: "md-ui-tool-group" }, ...this._toggles.map(([, made]) => made)),
      mdElement("label", { class: "md-ui-tool-group md-ui-search-label" },
        mdElement("span", { text: say("search") }), this._search, this._found),
      this._breaks.element,
      mdElement("label", { class: "md-ui-tool-group" },
        mdElement("span", { text: say("speed") }), this._speed),
    );
  }

  /** Show what is on. */
  show() {
    const { shows, film } = this._player;
    for (const [name, button] of this._toggles) {
      mdSet(button, "aria-pressed", String(Boolean(shows[name])));
    }
    this._showFound(film.position);
    this._breaks.show();
  }

  /** Let words be typed. */
  askSearch() {
    this._search.focus();
    this._search.select();
  }

  _tool(action, text) {
    return mdTool(this._player, action, text);
  }

  _toggle(name) {
    const button = this._tool(name, this._player.say(name));
    mdSet(button, "aria-pressed", "false");
    return [name, button];
  }

  _searchField() {
    const { keys, signal, say } = this._player;
    return mdElement("input", {
      class: "md-ui-search", type: "search", autocomplete: "off", spellcheck: "false", size: 14,
      enterkeyhint: "search", title: keys.titled("search", say("search")), signal,
      on: {
        keydown: (event) => {
          if (event.key === "Enter") {
            event.preventDefault();
            this._player.find(this._search.value, event.shiftKey ? -1 : 1);
          }
        },
        input: () => this._player.look(this._search.value),
      },
    });
  }

  _showFound(position) {
    const { matches, say } = this._player;
    if (!matches.words) {
      mdPut(this._found, "");
      return;
    }
    const which = matches.steps.indexOf(position) + 1;
    const facts = { i: which || "–", n: matches.steps.length };
    mdPut(this._found, matches.steps.length ? say("found", facts) : say("search-none"));
  }

  _speedList() {
    const { say, signal } = this._player;
    const list = mdElement("select", {
      class: "md-ui-speed", signal, on: { change: () => this._player.setSpeed(list.value) },
    });
    for (const speed of MD_SPEEDS) {
      const text = speed === "recorded" ? say("speed-recorded") : `${speed}×`;
      list.append(mdElement("option", { value: speed, text, selected: speed === "1" }));
    }
    return list;
  }
}

/** A quiet button for an action of the key table; its key is said where the mouse rests. */
function mdTool(player, action, text) {
  const { keys, signal } = player;
  return mdElement("button", {
    class: "md-ui-tool", type: "button", text, title: keys.titled(action, text), signal,
    on: { click: () => player.act(action) },
  });
}

/** Kinds of steps at which playing stops (and, live, the engine holds): a list to look at. */
class MdBreaks {
  constructor(player) {
    const { say, keys, signal } = player;
    this._player = player;
    this._summary = mdElement("summary", { class: "md-ui-tool" });
    this._here = mdElement("button", {
      class: "md-ui-tool", type: "button", text: say("break"), signal,
      title: keys.titled("break", say("break")), "aria-pressed": "false",
      on: { click: () => player.act("break") },
    });
    this._list = mdElement("ul", { class: "md-ui-break-list", "aria-label": say("breaks") });
    this._pattern = mdElement("input", {
      class: "md-ui-pattern", type: "text", autocomplete: "off", spellcheck: "false", signal,
      on: { keydown: (event) => event.key === "Enter" && this._add() },
    });
    this.element = mdElement(
      "details", { class: "md-ui-breaks md-ui-tool-group" }, this._summary,
      mdElement(
        "div", { class: "md-ui-popover" }, this._here, this._list,
        mdElement("label", { class: "md-ui-pattern-label" },
          mdElement("span", { text: say("break-pattern") }), this._pattern),
      ),
    );
  }

  show() {
    const { say, breaks, film, isStop } = this._player;
    const frame = film.frame(film.position);
    mdPut(this._summary, `${say("breaks")} ${breaks.size || "…"}`);
    const isOn = Boolean(frame && isStop(frame));
    mdSet(this._here, "aria-pressed", String(isOn));
    mdPut(this._here, frame ? `${say("break")}: ${frame.k}` : say("break"));
    const drawn = [...breaks].join("\n");
    if (drawn !== this._drawn) {
      this._drawn = drawn;
      this._list.replaceChildren(...[...breaks].map((pattern) => this._item(pattern)));
    }
  }

  _item(pattern) {
    const { say, signal } = this._player;
    return mdElement(
      "li", {}, mdElement("code", { text: pattern }),
      mdElement("button", {
        class: "md-ui-tool", type: "button", text: say("remove"), signal,
        "aria-label": `${say("remove")} ${pattern}`,
        on: { click: () => this._remove(pattern) },
      }),
    );
  }

  _remove(pattern) {
    this._player.setBreak(pattern, false);
    this._here.focus(); // what had the focus is gone
  }

  _add() {
    const pattern = this._pattern.value.trim();
    if (pattern) {
      this._player.setBreak(pattern, true);
      this._pattern.value = "";
    }
  }
}
