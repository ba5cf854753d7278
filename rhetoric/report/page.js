"use strict";
// Texts are only ever set as text, never as markup.
(async () => {
  const theme = document.getElementById("theme");
  const dark = () => matchMedia("(prefers-color-scheme: dark)").matches;
  theme.addEventListener("click", () => {
    const now = document.documentElement.dataset.theme || (dark() ? "dark" : "light");
    document.documentElement.dataset.theme = now === "dark" ? "light" : "dark";
  });

  const list = document.getElementById("list");
  if (!list) return;
  const count = document.getElementById("count");
  const more = document.getElementById("more");
  const form = document.getElementById("filters");
  if (!("DecompressionStream" in window)) {
    count.textContent = "This browser is too old to unpack the sentences (Chrome 80, Firefox 113 or Safari 16.4 can).";
    return;
  }
  const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const packed = bytes(document.getElementById("rows").textContent);
  const unzipped = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  const data = JSON.parse(await new Response(unzipped).text());
  const scores = bytes(data.scores);
  const width = data.labels.length;
  const lower = data.texts.map((text) => text.toLowerCase());
  const PAGE = 100;
  let found = [];
  let shown = 0;

  const element = (tag, properties = {}, ...children) => {
    const made = Object.assign(document.createElement(tag), properties);
    made.append(...children);
    return made;
  };
  const field = (name, control) => {
    control.name = name;
    form.append(element("label", {}, name, control));
    control.addEventListener("input", filter);
    return control;
  };
  const choice = (name, options) =>
    field(name, element("select", {}, ...options.map(([value, text]) => element("option", { value, textContent: text }))));

  const search = field("search", element("input", { type: "search", placeholder: "words" }));
  const label = choice("label", [
    ["", "all"],
    ...data.labels.map((name, i) => [String(i), name]),
    ["none", "neutral"],
    ["unsure", "uncertain"],
  ]);
  const least = field("score from", element("input", { type: "number", min: 0, max: 1, step: 0.05, value: 0 }));
  const groups = data.filters.map((name) => [
    data.columns[name].rows,
    choice(name, [["", "all"], ...data.columns[name].values.map((value, i) => [String(i), value || "(none)"])]),
  ]);
  const from = data.time && field("date from", element("input", { placeholder: "2014-03", size: 10 }));
  const to = data.time && field("date to", element("input", { placeholder: "2014-12", size: 10 }));
  const order = choice("order", [["file", "as in the file"], ["score", "highest score first"]]);
  const reset = element("button", { type: "button", textContent: "Clear" });
  let whole = null; // the document being read
  reset.addEventListener("click", () => {
    form.reset();
    whole = null;
    filter();
  });
  form.append(reset);
  form.addEventListener("submit", (event) => event.preventDefault());
  more.addEventListener("click", () => show());

  const has = (mask, i) => Math.floor(mask / 2 ** i) % 2 === 1;
  const strongest = (row) => {
    let best = 0;
    for (let i = 0; i < width; i++) best = Math.max(best, scores[row * width + i]);
    return best;
  };

  function filter() {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const wanted = label.value;
    const limit = 100 * Number(least.value || 0);
    const picked = groups.filter(([, control]) => control.value !== "").map(([rows, control]) => [rows, Number(control.value)]);
    found = [];
    for (let row = 0; row < lower.length; row++) {
      if (whole !== null && data.columns[data.document].rows[row] !== whole) continue;
      if (wanted === "none" ? data.chosen[row] : wanted === "unsure" ? !data.uncertain[row] : wanted !== "" && !has(data.chosen[row], wanted)) continue;
      if (limit && (wanted === "" || isNaN(wanted) ? strongest(row) : scores[row * width + Number(wanted)]) < limit) continue;
      if (picked.some(([rows, value]) => rows[row] !== value)) continue;
      if (from && from.value && data.time[row].slice(0, from.value.length) < from.value) continue;
      if (to && to.value && data.time[row].slice(0, to.value.length) > to.value) continue;
      if (words.length && !words.every((word) => lower[row].includes(word))) continue;
      found.push(row);
    }
    if (order.value === "score") {
      const rank = (row) => (wanted === "" || isNaN(wanted) ? strongest(row) : scores[row * width + Number(wanted)]);
      found.sort((a, b) => rank(b) - rank(a) || a - b);
    }
    shown = 0;
    list.replaceChildren();
    const where = whole === null ? "" : ` of ${data.columns[data.document].values[whole]}`;
    count.textContent = `${found.length.toLocaleString("en")} of ${lower.length.toLocaleString("en")} sentences${where}`;
    show(words);
  }

  function show() {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    for (const row of found.slice(shown, shown + PAGE)) list.append(drawn(row, words));
    shown = Math.min(shown + PAGE, found.length);
    more.hidden = shown >= found.length;
    more.textContent = `Show more (${(found.length - shown).toLocaleString("en")} left)`;
  }

  function drawn(row, words) {
    const labels = data.labels.map((_, i) => i).filter((i) => has(data.chosen[row], i));
    labels.sort((a, b) => scores[row * width + b] - scores[row * width + a]);
    const text = element("span");
    marked(text, data.texts[row], words);
    const made = element("div", { className: `row ${labels.length ? data.families[labels[0]] : ""}` }, text);
    for (const i of labels) {
      const unsure = has(data.uncertain[row], i) ? "?" : "";
      const number = (scores[row * width + i] / 100).toFixed(2);
      made.append(element("span", { className: `chip ${data.families[i]}`, textContent: `${data.labels[i]} ${number}${unsure}` }));
    }
    const about = element("div", { className: "meta" });
    const named = data.document && data.columns[data.document];
    if (named && named.values[named.rows[row]]) {
      const open = element("button", { type: "button", textContent: named.values[named.rows[row]] });
      open.addEventListener("click", () => {
        form.reset();
        whole = named.rows[row];
        filter();
        document.getElementById("sentences").scrollIntoView();
      });
      about.append(open);
    }
    const facts = data.time ? [data.time[row]] : [];
    for (const [name, column] of Object.entries(data.columns)) if (name !== data.document) facts.push(column.values[column.rows[row]]);
    about.append(facts.filter(Boolean).join(" · "));
    made.append(about);
    return made;
  }

  function marked(target, text, words) {
    const low = text.toLowerCase();
    // Where lower case changes the length, offsets would be wrong.
    const spots = low.length === text.length ? words.map((word) => [low.indexOf(word), word.length]) : [];
    let after = 0;
    for (const [start, length] of spots.filter(([start]) => start >= 0).sort((a, b) => a[0] - b[0])) {
      if (start < after) continue;
      target.append(text.slice(after, start), element("mark", { textContent: text.slice(start, start + length) }));
      after = start + length;
    }
    target.append(text.slice(after));
  }

  filter();
  document.documentElement.dataset.ready = "yes";
})();
