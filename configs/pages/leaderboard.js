// Sorts and filters what the page holds already, and copies. It never makes HTML out of data.
"use strict";
(() => {
  const board = document.querySelector("table.board");
  const form = document.querySelector("form.filters");
  const entries = [...board.querySelectorAll("tr.e")];
  const detail = (entry) => entry.nextElementSibling;
  const button = (entry) => entry.querySelector("button.more");

  function open(entry, opened) {
    button(entry).setAttribute("aria-expanded", String(opened));
    detail(entry).hidden = !opened || entry.hidden;
  }

  for (const entry of entries) {
    open(entry, false);
    button(entry).addEventListener("click", () => open(entry, detail(entry).hidden));
  }

  // Filters

  const text = new Map(entries.map((entry) => [entry, entry.dataset.text.toLowerCase()]));

  function keeps(entry) {
    const chosen = new FormData(form);
    const words = String(chosen.get("search")).toLowerCase().split(/\s+/).filter(Boolean);
    return (
      ["table", "modality", "system", "kind"].every((key) => !chosen.get(key) || entry.dataset[key] === chosen.get(key)) &&
      Number(entry.dataset.seeds) >= Number(chosen.get("seeds") || 0) &&
      words.every((word) => text.get(entry).includes(word))
    );
  }

  function filter() {
    let shown = 0;
    const kept = new Set();
    for (const entry of entries) {
      entry.hidden = !keeps(entry);
      if (!entry.hidden) {
        shown += 1;
        kept.add(entry.id);
      }
      open(entry, !entry.hidden && button(entry).getAttribute("aria-expanded") === "true");
    }
    for (const body of board.tBodies) body.hidden = ![...body.rows].some((row) => row.matches("tr.e") && !row.hidden);
    for (const mark of document.querySelectorAll("[data-entry]")) mark.classList.toggle("dimmed", !kept.has(mark.dataset.entry));
    document.querySelector(".state").textContent = `${shown} of ${entries.length} entries`;
  }

  // Order: within a target, for nothing else is comparable

  const textual = ["system", "source"];
  const startsHigh = (key) => !textual.includes(key) && key !== "seconds";
  const compare = new Intl.Collator(undefined, { numeric: true }).compare;

  function reorder(order) {
    for (const body of board.tBodies) {
      const own = [...body.rows].filter((row) => row.matches("tr.e"));
      const pairs = own.map((entry) => [entry, detail(entry)]);
      body.append(...pairs.sort(([one], [other]) => order(one, other)).flat());
    }
  }

  function sort(key, descending) {
    const column = key.toLowerCase().replace("-", "");
    const value = (entry) => (textual.includes(key) ? entry.dataset[column] : Number(entry.dataset[column]));
    const known = (entry) => entry.dataset[column] !== "";
    reorder((one, other) => {
      if (known(one) !== known(other)) return known(one) ? -1 : 1;
      const order = textual.includes(key) ? compare(value(one), value(other)) : value(one) - value(other);
      return descending ? -order : order;
    });
    for (const head of board.querySelectorAll("th[data-sort]")) {
      if (head.dataset.sort === key) head.setAttribute("aria-sort", descending ? "descending" : "ascending");
      else head.removeAttribute("aria-sort");
    }
    form.elements.sort.value = key;
  }

  function unsort() {
    reorder((one, other) => entries.indexOf(one) - entries.indexOf(other));
    for (const head of board.querySelectorAll("th[data-sort]")) head.removeAttribute("aria-sort");
  }

  for (const head of board.querySelectorAll("th[data-sort]")) {
    head.querySelector("button").addEventListener("click", () => {
      const key = head.dataset.sort;
      const now = head.getAttribute("aria-sort");
      sort(key, now === null ? startsHigh(key) : now === "ascending");
    });
  }

  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("input", (event) => {
    if (event.target.name === "metric") board.dataset.metric = event.target.value;
    else if (event.target.name === "sort" && event.target.value === "") unsort();
    else if (event.target.name === "sort") sort(event.target.value, startsHigh(event.target.value));
    else filter();
  });
  form.addEventListener("reset", () => setTimeout(() => {
    board.dataset.metric = form.elements.metric.value;
    unsort();
    filter();
  }));

  // From a point of a figure to its line

  function show() {
    const entry = location.hash.length > 1 ? document.getElementById(location.hash.slice(1)) : null;
    if (entry === null || !entry.matches("tr.e")) return;
    if (entry.hidden) form.reset();
    setTimeout(() => {
      open(entry, true);
      entry.scrollIntoView({ block: "center" });
      button(entry).focus({ preventScroll: true });
    });
  }
  addEventListener("hashchange", show);

  // Copies

  async function copy(text) {
    if (navigator.clipboard && window.isSecureContext) {
      try {
        return await navigator.clipboard.writeText(text);
      } catch {
        // refused: the old way below
      }
    }
    const area = document.createElement("textarea");
    area.value = text;
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }

  document.addEventListener("click", async (event) => {
    const pressed = event.target.closest("button[data-copy]");
    if (pressed === null) return;
    await copy(pressed.parentElement.querySelector("pre").textContent);
    pressed.textContent = "Copied";
    setTimeout(() => (pressed.textContent = "Copy"), 1500);
  });

  // Light and dark

  const theme = document.querySelector("button.theme");
  const dark = () => (document.documentElement.dataset.theme || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";
  const name = () => (theme.textContent = dark() ? "Light" : "Dark");
  theme.hidden = false;
  name();
  theme.addEventListener("click", () => {
    document.documentElement.dataset.theme = dark() ? "light" : "dark";
    name();
  });

  filter();
  show();
})();
