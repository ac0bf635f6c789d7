"""Scenes on a page: what JupyterLab shows of a story, and how a cell begins one.

magics    what a notebook can type        typed     … words, as the command reads them
begun     … done before the next cell     contexts  … Dockerfiles and files from cells
stepper   a story that is stepped through sender    … frames on their way to a page
footage   … of which records              live      … held, and freed
figure    a picture for paper             picture   … of one scene that is no story
cell      what stands below a cell
ask       %%predict                        panel     %level; both are a `card`
static/   what runs in the browser        assets    … and how it gets there
"""
