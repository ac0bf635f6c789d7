// A story in a file of its own: no kernel, no server, no network.
//
// The frames lie in the page, plain or, where they are many, compressed.  The address says
// where one stands: #step=42, #mark=NAME, #view=layers, #depth=2, #table=1; #embed=1 leaves
// the title to whoever embeds the page.  In a frame it tells its parent each step and takes
// `minidock:goto` from it, so a deck of slides can lead; nothing else goes in or out.

/** Begin: read what lies in the page, and show it. */
async function mdReplay() {
  const root = document.getElementById("md-player");
  try {
    const { header, frames, sources } = await mdRead(document.getElementById("md-film"));
    const film = new MdFilm(header);
    film.add(1, frames);
    mdBegin(root, film, sources);
  } catch (error) {
    root.textContent = `${root.dataset.failed} (${error.message})`;
  }
}

/** Read the JSON of a data block, which may be gzip in base64. */
async function mdRead(block) {
  if (block.type === "application/json") {
    return JSON.parse(block.textContent);
  }
  const bytes = Uint8Array.from(atob(block.textContent.trim()), (c) => c.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return JSON.parse(await new Response(stream).text());
}

function mdBegin(root, film, sources) {
  const asked = new URLSearchParams(location.hash.slice(1));
  const tell = (message) => window.parent !== window && window.parent.postMessage(message, "*");
  const player = new MdPlayer(root, film, {
    sources,
    heading: 1,
    embed: asked.get("embed") === "1",
    permalink: (step) => `${location.href.replace(/#.*/, "")}#step=${step}`,
    leave: () => document.activeElement?.blur(),
    onEdge: (way) => tell({ type: "minidock:edge", way }),
  });
  mdFollowAddress(player);
  player.onMove((step, n) => tell({ type: "minidock:step", step, n }));
  window.addEventListener("message", (event) => mdObey(player, event));
  mdListenToKeys(document, player.keys, { act: (action) => player.act(action), leave() {} });
  root.dataset.ready = "true";
}

/** Go where a parent says, and nobody else. */
function mdObey(player, { source, data }) {
  if (source === window.parent && data?.type === "minidock:goto") {
    player.goto(Number(data.step));
  }
}

const MD_ADDRESS_MS = 300; // browsers refuse to write the address at every key press

/** Go where the address says, and keep it saying where one stands. */
function mdFollowAddress(player) {
  let written = location.hash;
  let timer = null;
  const read = () => location.hash !== written && mdGoTo(player, location.hash);
  const write = (step) => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      const asked = new URLSearchParams(location.hash.slice(1));
      asked.delete("mark");
      asked.set("step", step);
      written = `#${asked}`;
      history.replaceState(null, "", written);
    }, MD_ADDRESS_MS);
  };
  window.addEventListener("hashchange", read);
  mdGoTo(player, location.hash);
  player.onMove(write);
}

function mdGoTo(player, hash) {
  const asked = new URLSearchParams(hash.slice(1));
  if (asked.has("view")) {
    player.pictures.choose(asked.get("view"));
  }
  if (/^[123]$/.test(asked.get("depth") ?? "")) {
    player.act(`depth-${asked.get("depth")}`);
  }
  if (asked.get("table") === "1" && !player.shows.table) {
    player.act("table");
  }
  const step = mdStepAsked(player.film, asked);
  if (step !== null) {
    player.goto(step);
  }
}

/** The step that an address means: by number, by a mark, or the first of a kind. */
function mdStepAsked(film, asked) {
  if (/^\d+$/.test(asked.get("step") ?? "")) {
    return Number(asked.get("step"));
  }
  const mark = asked.get("mark");
  const known = (film.header.marks ?? []).find(({ id }) => id === mark);
  if (known || !mark) {
    return known?.step ?? null;
  }
  for (let i = 1; i <= film.length; i += 1) {
    if (film.frame(i).k === mark) {
      return i;
    }
  }
  return null;
}

mdReplay();
