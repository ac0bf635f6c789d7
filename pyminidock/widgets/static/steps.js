// All steps as a table: everything the pictures show, as words, for whoever reads or cannot
// see.  Up and down go through the rows, a click or Enter on a number goes to that step.
//
// A long story would be a heavy page, so beyond 500 rows only those in sight exist, between
// two empty rows that are as high as what is left out; the table says how many there are.

const MD_WHOLE_TABLE = 500; // rows
const MD_ROWS_AROUND = 30; // above and below what is in sight

class MdSteps {
  /** @param {MdPlayer} player */
  constructor(player) {
    const { say, signal } = player;
    this._player = player;
    this._rowHeight = 28; // pixels, measured once a row is there
    this._body = mdElement("tbody");
    this._table = mdElement(
      "table", { class: "md-ui-steps-table" },
      mdElement("caption", { class: "md-sr", text: say("table") }),
      mdElement("thead", {}, mdElement(
        "tr", { "aria-rowindex": 1 },
        ...["column-step", "column-time", "column-known", "column-what", "column-line"].map(
          (key) => mdElement("th", { scope: "col", text: say(key) }),
        ),
      )),
      this._body,
    );
    this.element = mdElement(
      "div",
      { class: "md-ui-steps", role: "group", tabindex: 0, "aria-label": say("table"), hidden: true },
      this._table,
    );
    this.element.addEventListener("scroll", () => this._onScroll(), { signal });
    this.element.addEventListener("keydown", (event) => this._onKey(event), { signal });
  }

  /** Show the rows around the step at which one stands, and mark it. */
  show(isShown) {
    this.element.hidden = !isShown;
    if (!isShown) {
      this._drawn = "";
      return;
    }
    if (!this._drawn) {
      this._draw(); // nothing can be scrolled to before it is there
    }
    this._keepInSight(this._player.film.position);
    this._draw();
  }

  _keepInSight(i) {
    const { scrollTop, clientHeight } = this.element;
    const top = Math.max(i - 1, 0) * this._rowHeight;
    if (top < scrollTop || top + 3 * this._rowHeight > scrollTop + clientHeight) {
      this.element.scrollTop = top - clientHeight / 3;
    }
  }

  _onScroll() {
    cancelAnimationFrame(this._asked);
    this._asked = requestAnimationFrame(() => !this.element.hidden && this._draw());
  }

  _draw() {
    const { film, depth, matches } = this._player;
    const [from, to] = this._window(film.length);
    const drawn = `${from} ${to} ${depth} ${matches.words}`;
    if (drawn !== this._drawn) {
      this._drawn = drawn;
      this._rebuild(from, to);
    }
    this._mark(film.position);
  }

  /** The rows that have to exist, the last one not included. */
  _window(length) {
    mdSet(this._table, "aria-rowcount", length + 1);
    if (length <= MD_WHOLE_TABLE) {
      return [1, length + 1];
    }
    const first = Math.floor(this.element.scrollTop / this._rowHeight) - MD_ROWS_AROUND;
    const many = Math.ceil(this.element.clientHeight / this._rowHeight) + 2 * MD_ROWS_AROUND;
    const from = Math.min(Math.max(first - (first % MD_ROWS_AROUND), 1), length);
    return [from, Math.min(from + many + MD_ROWS_AROUND, length + 1)];
  }

  _rebuild(from, to) {
    const focused = this._focusedStep();
    this._found = new Set(this._player.matches.steps);
    const rows = [];
    for (let i = from; i < to; i += 1) {
      rows.push(this._row(i));
    }
    const below = this._player.film.length + 1 - to;
    this._body.replaceChildren(this._gap(from - 1), ...rows, this._gap(below));
    if (rows.length > 1) {
      const height = (rows[rows.length - 1].offsetTop - rows[0].offsetTop) / (rows.length - 1);
      this._rowHeight = height || this._rowHeight;
    }
    if (focused) {
      this._button(focused)?.focus({ preventScroll: true });
    }
  }

  _gap(rows) {
    const gap = mdElement("tr", { class: "md-ui-gap", "aria-hidden": "true", hidden: rows === 0 },
      mdElement("td", { colspan: 5 }));
    gap.firstChild.style.setProperty("height", `${rows * this._rowHeight}px`);
    return gap;
  }

  _row(i) {
    const { film, depth, signal, say } = this._player;
    const frame = film.frame(i);
    const [glyph, meaning] = film.header.evidence?.[frame.ev ?? ""] ?? ["?", frame.ev];
    const what = mdElement("td", { class: "md-ui-what", title: frame.say[depth - 1] },
      frame.head ? mdElement("b", { class: "md-ui-head", text: frame.head }) : null,
      mdElement("span", { text: frame.say[depth - 1] }));
    what.style.setProperty("--md-level", Math.min(frame.lv ?? 0, 8));
    const go = mdElement("button", {
      class: "md-ui-go", type: "button", text: String(i), "aria-label": say("go", { i }),
      "data-step": i, tabindex: -1,
    });
    const isFound = this._found.has(i);
    return mdElement(
      "tr",
      {
        class: isFound ? "md-ui-row md-ui-row-found" : "md-ui-row", "aria-rowindex": i + 1, signal,
        "data-step": i, on: { click: () => this._player.goto(i) },
      },
      mdElement("td", { class: "md-ui-n" }, go),
      mdElement("td", { class: "md-ui-n", text: frame.t.toFixed(3) }),
      mdElement("td", { title: meaning }, mdElement("span", { "aria-hidden": "true", text: glyph }),
        mdElement("span", { class: "md-sr", text: meaning })),
      what,
      mdElement("td", { class: "md-ui-where", text: frame.src ?? "" }),
    );
  }

  /** Mark the row of a step: the only one whose button Tab reaches. */
  _mark(position) {
    for (const row of this._body.querySelectorAll(".md-ui-row")) {
      const isHere = Number(row.dataset.step) === position;
      if (isHere !== (row.getAttribute("aria-current") === "step")) {
        mdSet(row, "aria-current", isHere ? "step" : null);
        mdSet(row.querySelector(".md-ui-go"), "tabindex", isHere ? 0 : -1);
      }
    }
  }

  _button(i) {
    return this._body.querySelector(`.md-ui-go[data-step="${i}"]`);
  }

  _focusedStep() {
    const focused = this._body.contains(document.activeElement) ? document.activeElement : null;
    return focused?.dataset.step ? Number(focused.dataset.step) : 0;
  }

  /** Rows are gone through with up and down; the page of the browser stays where it is. */
  _onKey(event) {
    const ways = { ArrowDown: 1, ArrowUp: -1, PageDown: 10, PageUp: -10 };
    const way = ways[event.key];
    if (!way || event.ctrlKey || event.metaKey || event.altKey) {
      return;
    }
    event.preventDefault();
    const { film } = this._player;
    const from = this._focusedStep() || film.position;
    const to = Math.min(Math.max(from + way, 1), film.length);
    this._keepInSight(to);
    this._draw();
    this._button(to)?.focus({ preventScroll: true });
  }
}
