// Follows a piece of work by server-sent events and goes on to the next page when it has ended.
// Without script the page loads itself again every few seconds (see progress.html).
(() => {
  const box = document.querySelector("[data-events]");
  if (!box) return;
  const bar = box.querySelector("progress");
  const source = new EventSource(box.dataset.events);
  source.addEventListener("progress", e => {
    const now = JSON.parse(e.data);
    box.querySelector("[data-sentence]").textContent = now.sentence;
    if (!now.total) return;
    bar.max = now.total;
    bar.value = now.done;
    box.querySelector("[data-count]").textContent = `${now.done.toLocaleString()} / ${now.total.toLocaleString()}`;
  });
  source.addEventListener("finished", e => {
    source.close();
    location.replace(JSON.parse(e.data).to);
  });
})();
