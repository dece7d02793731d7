/* Heads of the index become buttons that sort the rows; without scripts the table stays in the order of the company. */
for (const table of document.querySelectorAll("table.sortable")) {
  const body = table.tBodies[0], heads = [...table.tHead.rows[0].cells];
  const key = (row, at) => row.cells[at].dataset.value;
  const compare = (one, two) => isNaN(one) || isNaN(two) ? one.localeCompare(two, document.documentElement.lang) : one - two;
  const sort = (head, at) => {
    const rows = [...body.rows], known = rows.filter((row) => key(row, at) !== undefined);
    const largestFirst = head.classList.contains("number");
    const turned = head.ariaSort === (largestFirst ? "descending" : "ascending");
    const way = largestFirst === turned ? 1 : -1;
    known.sort((one, two) => way * compare(key(one, at), key(two, at)));
    for (const other of heads) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", way === 1 ? "ascending" : "descending");
    body.append(...known, ...rows.filter((row) => !known.includes(row)));
  };
  heads.forEach((head, at) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    button.addEventListener("click", () => sort(head, at));
    head.append(button);
  });
}
