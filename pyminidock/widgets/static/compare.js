// Two moments beside each other.  Every thing in a picture has an id that stays the same while
// the thing does, so they are compared thing by thing: + came, − went, ~ is another now.

class MdCompare {
  /** @param {MdPlayer} player */
  constructor(player) {
    const { say } = player;
    this._player = player;
    this._title = mdElement("div", {
      class: "md-ui-compare-title", role: "heading", "aria-level": player.level + 1,
    });
    this._body = mdElement("tbody");
    this._then = mdElement("th", { scope: "col" });
    this._now = mdElement("th", { scope: "col" });
    this._none = mdElement("p", { text: say("compare-none") });
    this._table = mdElement(
      "table", { class: "md-ui-compare-table" },
      mdElement("thead", {}, mdElement("tr", {},
        mdElement("th", { scope: "col", text: say("compare-what") }), this._then, this._now)),
      this._body,
    );
    this.element = mdElement(
      "div",
      { class: "md-ui-compare", role: "group", tabindex: 0, "aria-label": say("compare"), hidden: true },
      this._title, this._none, this._table,
    );
  }

  /** Show what is different between the marked step and the one where one stands. */
  show(isShown) {
    this.element.hidden = !isShown;
    if (!isShown) {
      return;
    }
    const { film, compared, say, pictures } = this._player;
    const view = pictures.shown;
    const then = film.stateAt(compared).get(view) ?? new Map();
    const rows = mdDifferences(then, film.scene(view));
    mdPut(this._title, say("compare-title", { a: compared, b: film.position }));
    mdPut(this._then, say("compare-then", { i: compared }));
    mdPut(this._now, say("compare-now", { i: film.position }));
    this._none.hidden = rows.length > 0;
    this._table.hidden = rows.length === 0;
    this._body.replaceChildren(...rows.map((row) => this._row(row)));
  }

  _row({ mark, then, now }) {
    const word = this._player.say({ "+": "came", "−": "went", "~": "became" }[mark]);
    return mdElement(
      "tr", {}, mdElement("td", { class: "md-ui-mark", text: `${mark} ${word}` }),
      mdElement("td", { text: then }), mdElement("td", { text: now }),
    );
  }
}

/** List what came, went or changed from one picture to another, in the order of the new one. */
function mdDifferences(then, now) {
  const [before, after] = [mdThings(then), mdThings(now)];
  const gone = [...before.keys()].filter((id) => !after.has(id));
  return [...after.keys(), ...gone]
    .filter((id) => before.get(id) !== after.get(id))
    .map((id) => {
      const mark = !before.has(id) ? "+" : !after.has(id) ? "−" : "~";
      return { mark, then: before.get(id) ?? "", now: after.get(id) ?? "" };
    });
}

/** Every thing of a picture as a line of words, by its id, from the top. */
function mdThings(nodes) {
  const things = new Map();
  const visit = (id) => {
    const node = nodes.get(id);
    if (!node) {
      return;
    }
    const children = node.k ?? [];
    if (node.p === "row") {
      const cells = children.map((each) => nodes.get(each)).filter(Boolean);
      if (cells[0]?.r !== "columnheader") {
        things.set(id, cells.map((cell) => cell.t ?? "").filter(Boolean).join("  "));
      }
      return;
    }
    if ((node.p === "tree" || node.p === "text") && !id.endsWith(".none")) {
      things.set(id, node.t ?? "");
    }
    children.forEach(visit);
  };
  (nodes.get("")?.k ?? []).forEach(visit);
  return things;
}
