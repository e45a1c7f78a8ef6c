"""python -m moss_ros.train.words"""

from moss_ros.train.words.train import main

if __name__ == "__main__":
    main()
